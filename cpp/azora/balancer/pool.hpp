#pragma once
// One pool: its members, which of them are eligible, the position of its round-robin; its options and counts
// (pool_numbers.hpp) and the tables of the strategies that need one (pool_tables.hpp). The object lives as long as the
// pool; what changes rarely is published in versions, what changes often is atomic (R12).
// Threads: join/leave/replace/refresh/reweigh/configure on the control thread; the rest any thread,
// each with a PoolReader of its own. Ownership: the directory and readers share it.
// Fails: never. Cost: a flap O(1); join and leave O(1) on average; tables are rebuilt by the
// PoolShared's worker when a pick finds them stale, small ones by that pick itself.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/balancer/hash_table.hpp"
#include "azora/balancer/key_index.hpp"
#include "azora/balancer/members.hpp"
#include "azora/balancer/pool_numbers.hpp"
#include "azora/balancer/pool_shared.hpp"
#include "azora/balancer/pool_tables.hpp"
#include "azora/balancer/weight_table.hpp"
#include "azora/base/snapshot_cell.hpp"

namespace azora::balancer {

// One thread's look at one pool.
struct PoolReader {
  std::shared_ptr<class Pool> pool;
  Seen<Members> members;
  Seen<WeightTable> weights;       // of `weighted`
  Seen<WeightTable> load_weights;  // of least-connections
  Seen<HashTable> hashes;
};

class Pool {
 public:
  Pool(std::string name, const PoolOptions& options, std::shared_ptr<PoolShared> shared);

  const std::string& name() const { return name_; }
  PoolOptions options() const { return numbers_.options(); }
  Strategy strategy() const { return numbers_.strategy(); }
  Millis lease_ttl() const { return numbers_.lease_ttl(); }
  bool has_panic_threshold() const { return numbers_.has_panic_threshold(); }

  // Members now, and those eligible.
  std::uint32_t size() const { return numbers_.size(); }
  std::uint32_t count(Among among) const { return numbers_.count(among); }
  // The members that a pick chooses among; nullopt: none is eligible.
  std::optional<Among> among() const { return numbers_.among(); }
  // Grows with every change of eligibility, membership or weight, after it.
  std::uint64_t epoch() const { return numbers_.epoch(); }
  // Whether any member has a weight of its own; otherwise least-connections needs no table.
  bool explicit_weights() const { return numbers_.explicit_weights(); }

  // Whether these are the present members. The next two return the reader's table if it is the newest, else null.
  bool is_newest(const Seen<Members>& seen) const { return seen.version == members_.version(); }
  const WeightTable* newest_weights(const PoolReader& reader) const {
    return tables_.newest_weights(reader.weights, numbers_);
  }
  const HashTable* newest_hashes(const PoolReader& reader) const {
    return tables_.newest_hashes(reader.hashes, numbers_);
  }

  // Brings the reader's members up to date.
  const Members& members(PoolReader& reader) const {
    members_.refresh(reader.members);
    return *reader.members.value;
  }
  // The tables: the newest there is, built at once when there is none. The reader's pool is this one.
  const WeightTable& weights(PoolReader& reader) { return tables_.weights(reader.weights, numbers_, reader.pool); }
  const WeightTable& load_weights(PoolReader& reader) {
    return tables_.load_weights(reader.load_weights, numbers_, reader.pool);
  }
  const HashTable& hashes(PoolReader& reader) { return tables_.hashes(reader.hashes, numbers_, reader.pool); }

  // Round-robin: the place to look at next. Any number; beyond the end means the beginning.
  std::atomic<std::uint32_t>& position() { return position_; }
  // Weighted: turns taken while few are eligible.
  std::atomic<std::uint64_t>& scarce_turns() { return scarce_turns_; }

  // Control thread. An instance is in a pool at most once.
  void join(const std::shared_ptr<Instance>& member);
  // The member is gone or only leaves this pool: either way no later pick finds it here.
  void leave(Instance& member);
  // Another object of the same service takes its place and turn.
  void replace(Instance& old, const std::shared_ptr<Instance>& next);
  // Call after the member's state was stored: updates bits and counts.
  void refresh(const Instance& member);
  // Call after its weight was stored. `explicit_change`: +1 when it now has a weight of its own, -1 when no longer.
  void reweigh(int explicit_change);
  void configure(const PoolOptions& options) { numbers_.configure(options); }

 private:
  std::uint32_t make_place();
  void mark(std::uint32_t place, const Instance* member);
  void close_gaps();
  void join_keys(const Instance& member, std::uint32_t place);
  void leave_keys(const Instance& member, std::uint32_t place);
  void publish(std::vector<std::shared_ptr<Chunk>> chunks, std::uint32_t size);
  static Instance::Membership* membership(Instance& member, const Pool* pool);

  const std::string name_;
  const std::shared_ptr<PoolShared> shared_;

  // Control thread: the newest version and the places taken in it.
  std::shared_ptr<const Members> current_;
  std::uint32_t places_ = 0;
  std::shared_ptr<KeyIndex> keys_;  // of a large pool; patched in place

  Published<Members> members_;
  PoolTables tables_;
  PoolNumbers numbers_;

  // Written by every pick of round-robin.
  alignas(64) std::atomic<std::uint32_t> position_{0};
  std::atomic<std::uint64_t> scarce_turns_{0};
};

}  // namespace azora::balancer
