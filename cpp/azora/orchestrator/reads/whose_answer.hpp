#pragma once
// What `why` says of the listener at the address of a process service (R52): asked of the kernel when `why` is asked, in
// every lifecycle in which the service listens or is to listen there.
// Threads: any; waits for the kernel alone. Fails: never.
#include <string>

#include "azora/model/view.hpp"
#include "azora/orchestrator/reads/why.hpp"

namespace azora::orchestrator {

struct WhoseAnswer {
  std::string remark;        // empty: there is nothing to say, or the rule does not apply
  bool held = false;         // by another program alone
  std::string unblocked_by;  // then
};

WhoseAnswer whose_answer(const ServiceView& view, const WhySources& sources);

}  // namespace azora::orchestrator
