#include "azora/orchestrator/reads/topology.hpp"

#include <algorithm>
#include <numeric>

namespace azora::orchestrator {

Topology::Topology(const Board& board) {
  specs_.reserve(board.in_order.size());
  board.in_order.for_each([this](const ViewPtr& view) {
    const auto place = static_cast<std::uint32_t>(specs_.size());
    for (const Dependency& dependency : view->spec->dependencies) dependents_[dependency.id].push_back(place);
    specs_.push_back(view->spec);
  });
  rank_all();
}

// From those without dependencies upwards: a service is ranked when all that it needs are. Cycles are refused at
// registration, so every service is reached.
void Topology::rank_all() {
  ranks_.assign(specs_.size(), 0);
  std::unordered_map<std::string_view, std::uint32_t> named;  // registered services that others name
  std::vector<std::size_t> waits_for(specs_.size(), 0);
  std::vector<std::uint32_t> ready;
  for (std::uint32_t place = 0; place < specs_.size(); ++place) {
    if (dependents_.contains(specs_[place]->id)) named.emplace(specs_[place]->id, place);
  }
  for (std::uint32_t place = 0; place < specs_.size(); ++place) {
    for (const Dependency& dependency : specs_[place]->dependencies) {
      if (named.contains(dependency.id)) {
        ++waits_for[place];
      } else {
        ranks_[place] = 1;  // what is not registered has rank 0
      }
    }
    if (waits_for[place] == 0) ready.push_back(place);
  }
  while (!ready.empty()) {
    const std::uint32_t place = ready.back();
    ready.pop_back();
    const auto found = dependents_.find(specs_[place]->id);
    if (found == dependents_.end()) continue;
    for (const std::uint32_t dependent : found->second) {
      ranks_[dependent] = std::max(ranks_[dependent], ranks_[place] + 1);
      if (--waits_for[dependent] == 0) ready.push_back(dependent);
    }
  }
}

bool Topology::starts_before(std::uint32_t a, std::uint32_t b) const {
  if (ranks_[a] != ranks_[b]) return ranks_[a] < ranks_[b];
  if (specs_[a]->priority != specs_[b]->priority) return specs_[a]->priority > specs_[b]->priority;
  return a < b;
}

std::vector<std::uint32_t> Topology::start_order() const {
  std::vector<std::uint32_t> order(specs_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return starts_before(a, b); });
  return order;
}

std::vector<std::uint32_t> Topology::dependents(std::string_view id) const {
  const auto found = dependents_.find(id);
  if (found == dependents_.end()) return {};
  std::vector<std::uint32_t> order = found->second;
  std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) { return starts_before(a, b); });
  return order;
}

std::shared_ptr<const Topology> KeptTopology::of(const Board& board) {
  MutexLock lock(mutex_);
  if (kept_ && version_ == board.topology) return kept_;
  auto made = std::make_shared<const Topology>(board);
  // A reader with an older board gets what fits its board, but does not take the place of the newer one.
  if (!kept_ || version_ < board.topology) {
    kept_ = made;
    version_ = board.topology;
  }
  return made;
}

bool satisfied(const Board& board, const Dependency& dependency) {
  const ViewPtr* found = board.by_id.find(dependency.id);
  if (found == nullptr) return false;
  const ServiceView& view = **found;
  const bool up = view.spec->action != ActionKind::none
                      ? view.lifecycle == Lifecycle::ready
                      : view.status == HealthStatus::healthy || view.status == HealthStatus::degraded;
  switch (dependency.condition) {
    case Condition::started: return up;
    case Condition::healthy: return up && view.status == HealthStatus::healthy;
    case Condition::completed: return view.lifecycle == Lifecycle::done;
  }
  return false;
}

std::string_view wire_name(Condition condition) {
  switch (condition) {
    case Condition::started: return "started";
    case Condition::healthy: return "healthy";
    case Condition::completed: return "completed";
  }
  return "healthy";
}

std::string_view wire_name(Strength strength) { return strength == Strength::hard ? "hard" : "soft"; }

}  // namespace azora::orchestrator
