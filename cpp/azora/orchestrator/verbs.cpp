#include "azora/orchestrator/verbs.hpp"

#include <algorithm>
#include <utility>

namespace azora::orchestrator {

std::vector<std::uint64_t> Verbs::drop(std::uint64_t serial) {
  std::vector<std::uint64_t> raise;
  std::erase_if(waiting_, [&](const StagedVerb& one) {
    if (one.serial == serial) raise.insert(raise.end(), one.raise.begin(), one.raise.end());
    return one.serial == serial;
  });
  return raise;
}

std::vector<std::uint64_t> Verbs::release(std::uint64_t serial) {
  std::vector<std::uint64_t> released;
  for (StagedVerb& one : waiting_) {
    if (std::erase(one.after, serial) > 0) released.push_back(one.serial);
  }
  return released;
}

const StagedVerb* Verbs::find(std::uint64_t serial) const {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(), [serial](const StagedVerb& one) { return one.serial == serial; });
  return found == waiting_.end() ? nullptr : &*found;
}

std::optional<StagedVerb> Verbs::take_due(const std::function<bool(std::uint64_t)>& runs) {
  const auto due = std::find_if(waiting_.begin(), waiting_.end(), [&](const StagedVerb& one) {
    return std::none_of(one.after.begin(), one.after.end(), runs);
  });
  if (due == waiting_.end()) return std::nullopt;
  StagedVerb taken = std::move(*due);
  waiting_.erase(due);
  return taken;
}

std::vector<StagedVerb> Verbs::take_all() { return std::exchange(waiting_, {}); }

}  // namespace azora::orchestrator
