#pragma once
// Verbs that wait for their turn: each is carried out when none of those it comes after runs any more; then those
// that were stopped for it are started again. A newer verb for a service takes the place of one that waits.
// Pure: what runs is an argument.
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
  std::vector<std::uint64_t> after;  // these must have ended
  std::vector<std::uint64_t> raise;  // these come back afterwards
};

class Verbs {
 public:
  void stage(StagedVerb staged) AZORA_CONTROL { waiting_.push_back(std::move(staged)); }
  // The one for this service is dropped; answers those that it would have raised.
  std::vector<std::uint64_t> drop(std::uint64_t serial) AZORA_CONTROL;
  bool contains(std::uint64_t serial) const AZORA_CONTROL { return find(serial) != nullptr; }
  // The one of this service; null: none. Good until the next change.
  const StagedVerb* find(std::uint64_t serial) const AZORA_CONTROL;
  // The oldest one that waits for nothing that `runs`.
  std::optional<StagedVerb> take_due(const std::function<bool(std::uint64_t)>& runs) AZORA_CONTROL;
  // All of them, when the whole is stopped.
  std::vector<StagedVerb> take_all() AZORA_CONTROL;

 private:
  std::vector<StagedVerb> waiting_ AZORA_OF_CONTROL;  // in order of asking
};

}  // namespace azora::orchestrator
