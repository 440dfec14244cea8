#pragma once
// Which entry needs which in the published state. The first reader makes it from the board's specs; it is kept until
// membership or configuration changes. Ranks and dependents are the same as in the control thread's
// registry/dependency_graph.hpp.
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

  // Registered entries as they were written, in the order of their first service, and their ranks: 0 without
  // dependencies, otherwise one more than the largest rank among its dependencies, whatever their strength.
  const std::vector<SpecPtr>& entries() const { return entries_; }
  const std::vector<int>& ranks() const { return ranks_; }
  // Places in entries(): by rank, then higher priority, then order.
  std::vector<std::uint32_t> start_order() const;
  // The entries that need `id`, in start order. An instance is needed by entries that name it or its entry. An entry is
  // also needed by entries that name one of its instances.
  std::vector<std::uint32_t> dependents(std::string_view id) const;

 private:
  struct Need {
    std::uint32_t from;      // a place in entries()
    std::string_view named;  // as its dependency names it
  };
  void sort_by_start(std::vector<std::uint32_t>& places) const;
  void rank_all();

  std::vector<SpecPtr> entries_;
  std::vector<int> ranks_;
  std::unordered_map<std::string_view, std::vector<Need>> dependents_;  // by the entry needed, registered or not
};

// The topology of the newest board, made at most once per version.
class KeptTopology {
 public:
  std::shared_ptr<const Topology> of(const Board& board);

 private:
  Mutex mutex_;
  std::uint64_t version_ AZORA_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const Topology> kept_ AZORA_GUARDED_BY(mutex_);
};

// True if enough instances of this dependency have reached its condition in the published state.
bool satisfied(const Board& board, const Dependency& dependency);

// The spelling on the wire.
std::string_view wire_name(Condition condition);
std::string_view wire_name(Strength strength);

}  // namespace azora::orchestrator
