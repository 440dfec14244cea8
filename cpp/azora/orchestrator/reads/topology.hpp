#pragma once
// Which entry needs which, as published: made of a board's specs by the first reader that asks, kept until membership
// or configuration change. The same ranks and dependents as the control thread's registry/dependency_graph.hpp has.
// Threads: any; a Topology is immutable. Ownership: shares the specs. Fails: never.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azora/base/mutex.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

class Topology {
 public:
  explicit Topology(const Board& board);

  // Registered entries, as they were written, in the order of their first service; and what each ranks: 0 without
  // dependencies, else one more than the largest among them, whatever their strength.
  const std::vector<SpecPtr>& entries() const { return entries_; }
  const std::vector<int>& ranks() const { return ranks_; }
  // Places in entries(): by rank, then higher priority, then order.
  std::vector<std::uint32_t> start_order() const;
  // Those of the entries that need `id`, in start order. An instance is needed by those that name it or its entry, an
  // entry also by those that name one of its instances.
  std::vector<std::uint32_t> dependents(std::string_view id) const;

 private:
  struct Need {
    std::uint32_t from;      // a place
    std::string_view named;  // as its dependency names it
  };
  void sort_by_start(std::vector<std::uint32_t>& places) const;
  void rank_all();

  std::vector<SpecPtr> entries_;
  std::vector<int> ranks_;
  std::unordered_map<std::string_view, std::vector<Need>> dependents_;  // by the entry needed, registered or not
};

// The newest board's, made at most once for each.
class KeptTopology {
 public:
  std::shared_ptr<const Topology> of(const Board& board);

 private:
  Mutex mutex_;
  std::uint64_t version_ AZORA_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const Topology> kept_ AZORA_GUARDED_BY(mutex_);
};

// Have enough instances of what this dependency names reached its condition, as published?
bool satisfied(const Board& board, const Dependency& dependency);

// As the wire spells them.
std::string_view wire_name(Condition condition);
std::string_view wire_name(Strength strength);

}  // namespace azora::orchestrator
