#pragma once
// What `why` says about the listener at the address of a process service (R52). The kernel is asked at the time of
// `why`, in every lifecycle in which the service listens or should listen there.
// Threads: any; waits for the kernel alone. Fails: never.
#include <string>

#include "azora/model/view.hpp"
#include "azora/orchestrator/reads/why.hpp"

namespace azora::orchestrator {

struct WhoseAnswer {
  std::string remark;        // empty: nothing to report, or the rule does not apply
  bool held = false;         // only another program listens at the address
  std::string unblocked_by;  // if `held`: what would help; empty: that would not
};

WhoseAnswer whose_answer(const ServiceView& view, const WhySources& sources);

}  // namespace azora::orchestrator
