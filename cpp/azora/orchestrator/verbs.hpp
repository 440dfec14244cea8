#pragma once
// Verbs that wait: a verb is carried out when none of the services in `after` runs any more. Then the services in
// `raise` are started again. A newer verb for a service replaces the one that waits. Pure: the caller says what runs.
// Threads: the control thread. Ownership: values. Fails: never.
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "azora/base/thread_role.hpp"
#include "azora/model/lifecycle.hpp"
#include "azora/orchestrator/orchestrator.hpp"

namespace azora::orchestrator {

struct StagedVerb {
  std::uint64_t serial = 0;
  Verb verb = Verb::stop;
  std::vector<std::uint64_t> after;  // serials that must have ended first
  std::vector<std::uint64_t> raise;  // serials that are started again afterwards
};

class Verbs {
 public:
  void stage(StagedVerb staged) AZORA_CONTROL { waiting_.push_back(std::move(staged)); }
  // Drops the verb for this service. Returns the serials that it would have started again.
  std::vector<std::uint64_t> drop(std::uint64_t serial) AZORA_CONTROL;
  // No verb waits for the end of this service any more. Returns the serials whose verbs did.
  std::vector<std::uint64_t> release(std::uint64_t serial) AZORA_CONTROL;
  bool contains(std::uint64_t serial) const AZORA_CONTROL { return find(serial) != nullptr; }
  // The verb for this service; null: none. Valid until the next change.
  const StagedVerb* find(std::uint64_t serial) const AZORA_CONTROL;
  // The oldest verb whose `after` has no service that `runs`.
  std::optional<StagedVerb> take_due(const std::function<bool(std::uint64_t)>& runs) AZORA_CONTROL;
  // All verbs. For a stop of everything.
  std::vector<StagedVerb> take_all() AZORA_CONTROL;

 private:
  std::vector<StagedVerb> waiting_ AZORA_OF_CONTROL;  // oldest first
};

}  // namespace azora::orchestrator
