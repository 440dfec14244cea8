#include "azora/orchestrator/reads/topology.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {
namespace {

bool has_reached(const ServiceView& view, Condition condition) {
  const bool up = view.spec->action->acts
                      ? view.lifecycle == Lifecycle::ready
                      : view.status == HealthStatus::healthy || view.status == HealthStatus::degraded;
  switch (condition) {
    case Condition::started: return up;
    case Condition::healthy: return up && view.status == HealthStatus::healthy;
    case Condition::completed: return view.lifecycle == Lifecycle::done;
  }
  return false;
}

}  // namespace

Topology::Topology(const Board& board) {
  entries_.reserve(board.in_order.size());
  std::unordered_set<const ServiceSpec*> seen;  // entries with replicas
  board.in_order.for_each([&](const ViewPtr& view) {
    const SpecPtr& entry = view->spec->entry;
    if (!entry || seen.insert(entry.get()).second) entries_.push_back(entry ? entry : view->spec);
  });
  for (std::uint32_t place = 0; place < entries_.size(); ++place) {
    for (const Dependency& dependency : entries_[place]->dependencies) {
      dependents_[entry_of(dependency.id)].push_back({place, dependency.id});
    }
  }
  rank_all();
}

// Begins with entries that have no dependencies. An entry gets its rank when all its dependencies have one.
// Registration refuses cycles, so every entry is reached.
void Topology::rank_all() {
  ranks_.assign(entries_.size(), 0);
  std::unordered_set<std::string_view> named;  // registered entries that have dependents
  std::vector<std::size_t> waits_for(entries_.size(), 0);
  std::vector<std::uint32_t> ready;
  for (const SpecPtr& entry : entries_) {
    if (dependents_.contains(entry->id)) named.insert(entry->id);
  }
  for (std::uint32_t place = 0; place < entries_.size(); ++place) {
    for (const Dependency& dependency : entries_[place]->dependencies) {
      if (named.contains(entry_of(dependency.id))) {
        ++waits_for[place];
      } else {
        ranks_[place] = 1;  // a dependency that is not registered has rank 0
      }
    }
    if (waits_for[place] == 0) ready.push_back(place);
  }
  while (!ready.empty()) {
    const std::uint32_t place = ready.back();
    ready.pop_back();
    const auto found = dependents_.find(entries_[place]->id);
    if (found == dependents_.end()) continue;
    for (const Need& need : found->second) {
      ranks_[need.from] = std::max(ranks_[need.from], ranks_[place] + 1);
      if (--waits_for[need.from] == 0) ready.push_back(need.from);
    }
  }
}

// Packs rank, higher priority and order into one number: a hundred thousand entries are sorted in some milliseconds.
void Topology::sort_by_start(std::vector<std::uint32_t>& places) const {
  std::vector<std::uint64_t> keys;
  keys.reserve(places.size());
  for (const std::uint32_t place : places) {
    const auto rank = static_cast<std::uint64_t>(ranks_[place]);
    const auto priority = static_cast<std::uint64_t>(255 - entries_[place]->priority);
    keys.push_back(rank << 40 | priority << 32 | place);
  }
  std::sort(keys.begin(), keys.end());
  for (std::size_t i = 0; i < keys.size(); ++i) places[i] = static_cast<std::uint32_t>(keys[i]);
}

std::vector<std::uint32_t> Topology::start_order() const {
  std::vector<std::uint32_t> order(entries_.size());
  std::iota(order.begin(), order.end(), 0U);
  sort_by_start(order);
  return order;
}

std::vector<std::uint32_t> Topology::dependents(std::string_view id) const {
  const auto found = dependents_.find(entry_of(id));
  if (found == dependents_.end()) return {};
  std::vector<std::uint32_t> order;
  for (const Need& need : found->second) {
    if (names_service(need.named, id) || names_service(id, need.named)) order.push_back(need.from);
  }
  sort_by_start(order);
  order.erase(std::unique(order.begin(), order.end()), order.end());
  return order;
}

std::shared_ptr<const Topology> KeptTopology::of(const Board& board) {
  MutexLock lock(mutex_);
  if (kept_ && version_ == board.topology) return kept_;
  auto made = std::make_shared<const Topology>(board);
  // A reader with an older board gets a topology that fits its board. It does not replace the newer one.
  if (!kept_ || version_ < board.topology) {
    kept_ = made;
    version_ = board.topology;
  }
  return made;
}

bool satisfied(const Board& board, const Dependency& dependency) {
  const std::vector<ViewPtr> views = board.services(dependency.id);
  return std::count_if(views.begin(), views.end(), [&](const ViewPtr& view) {
           return has_reached(*view, dependency.condition);
         }) >= dependency.min;
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
