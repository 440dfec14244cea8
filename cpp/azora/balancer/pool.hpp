#pragma once
// One pool: its members, which of them are eligible, the position of its round-robin, its options, and
// the tables of the strategies that need one. The object lives as long as the pool; what changes
// rarely is published in versions, what changes often is atomic (R12).
// Threads: join/leave/replace/refresh/reweigh/configure on the control thread; the rest any thread,
// each with a PoolReader of its own. Ownership: the directory and readers share it.
// Fails: never. Cost: a flap O(1); join and leave O(1) on average; tables are rebuilt by the
// PoolShared's worker when a pick finds them stale, small ones by that pick itself.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/balancer/hash_table.hpp"
#include "azora/balancer/key_index.hpp"
#include "azora/balancer/members.hpp"
#include "azora/balancer/weight_table.hpp"
#include "azora/balancer/pool_shared.hpp"
#include "azora/base/mutex.hpp"
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

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  Pool(std::string name, const PoolOptions& options, std::shared_ptr<PoolShared> shared);

  const std::string& name() const { return name_; }
  PoolOptions options() const;
  Strategy strategy() const {
    return static_cast<Strategy>(options_.load(std::memory_order_relaxed) & kStrategyMask);
  }
  Millis lease_ttl() const { return Millis(lease_ttl_ms_.load(std::memory_order_relaxed)); }

  // Members now, and those eligible.
  std::uint32_t size() const { return live_.load(std::memory_order_relaxed); }
  std::uint32_t count(Among among) const {
    return counts_[static_cast<std::size_t>(among)].load(std::memory_order_acquire);
  }
  // The members that a pick chooses among; nullopt: none is eligible.
  std::optional<Among> among() const;
  // Grows with every change of eligibility, membership or weight, after it.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }

  // Whether these are the members now; the tables as this reader holds them when they are the newest, else null.
  bool is_newest(const Seen<Members>& seen) const { return seen.version == members_.version(); }
  const WeightTable* newest_weights(const PoolReader& reader) const {
    return newest(weights_, reader.weights, weight_version_);
  }
  const HashTable* newest_hashes(const PoolReader& reader) const {
    return newest(hashes_, reader.hashes, membership_version_);
  }
  bool has_panic_threshold() const { return options_.load(std::memory_order_relaxed) >> kPanicShift; }

  // Brings the reader's members up to date.
  const Members& members(PoolReader& reader) const {
    members_.refresh(reader.members);
    return *reader.members.value;
  }
  // The tables: the newest there is, built at once when there is none.
  const WeightTable& weights(PoolReader& reader);
  const WeightTable& load_weights(PoolReader& reader);
  const HashTable& hashes(PoolReader& reader);
  // Whether any member has a weight of its own; otherwise least-connections needs no table.
  bool explicit_weights() const { return explicit_weights_.load(std::memory_order_relaxed) > 0; }

  // Round-robin: the place to look at next. Any number; beyond the end means the beginning.
  std::atomic<std::uint32_t>& position() { return position_; }
  // Weighted: turns taken while few are eligible.
  std::atomic<std::uint64_t>& scarce_turns() { return scarce_turns_; }

  // Control thread. An instance is in a pool at most once.
  void join(const std::shared_ptr<Instance>& member);
  // Gone, or only out of this pool: either way no later pick finds it here.
  void leave(Instance& member);
  // The same service as another object: it keeps its place and turn.
  void replace(Instance& old, const std::shared_ptr<Instance>& next);
  // Its state was stored: patches bits and counts.
  void refresh(const Instance& member);
  // Its weight was stored; `explicit_change`: +1 when it became its own, -1 when no longer.
  void reweigh(int explicit_change);
  void configure(const PoolOptions& options);

 private:
  // Options as one word, so that a pick reads them at once: strategy, allow_degraded, panic threshold in millionths.
  static constexpr std::uint32_t kStrategyMask = 0xff;
  static constexpr std::uint32_t kDegradedBit = 0x100;
  static constexpr unsigned kPanicShift = 9;
  static constexpr double kPanicScale = 1e6;  // below 2^(32-9)
  static std::uint32_t pack(const PoolOptions& options);

  // A table and its rebuilding.
  template <typename Table>
  struct Lazy {
    Published<Table> published;
    std::atomic<bool> asked{false};  // a rebuild is on its way
    Mutex mutex;                     // one build at a time
  };
  template <typename Table>
  using Build = std::shared_ptr<const Table> (Pool::*)(const Table* before);

  template <typename Table>
  static const Table* newest(const Lazy<Table>& lazy, const Seen<Table>& seen, const std::atomic<std::uint64_t>& wanted) {
    const bool is = seen.version == lazy.published.version() &&
                    seen.value->version() == wanted.load(std::memory_order_acquire);
    return is ? seen.value.get() : nullptr;
  }
  template <typename Table>
  const Table& current(Lazy<Table> Pool::* which, Seen<Table>& seen,
                       const std::atomic<std::uint64_t>& wanted, Build<Table> build,
                       std::size_t small);
  // Readers must not meet the old table again: an empty one stands in until the next is made.
  template <typename Table>
  void discard(Lazy<Table>& lazy);
  void discard_tables();
  template <typename Table>
  void rebuild(Lazy<Table>& lazy, const std::atomic<std::uint64_t>& wanted, Build<Table> build);
  template <typename Table>
  [[gnu::noinline]] void renew(Lazy<Table> Pool::* which, Seen<Table>& seen,
                               const std::atomic<std::uint64_t>& wanted, Build<Table> build,
                               std::size_t small);

  std::shared_ptr<const WeightTable> build_weights(const WeightTable* before);
  std::shared_ptr<const WeightTable> build_load_weights(const WeightTable* before);
  std::shared_ptr<const HashTable> build_hashes(const HashTable* before);
  std::vector<std::shared_ptr<Instance>> all_members() const;

  std::uint32_t make_place();
  void mark(std::uint32_t place, const Instance* member);
  void bump(std::atomic<std::uint64_t>& number);
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
  Lazy<WeightTable> weights_;
  Lazy<WeightTable> load_weights_;
  Lazy<HashTable> hashes_;

  // Read by every pick, written by changes.
  alignas(64) std::atomic<std::uint32_t> options_{0};
  std::array<std::atomic<std::uint32_t>, kAmongCount> counts_{};
  std::atomic<std::uint32_t> live_{0};
  std::atomic<std::uint32_t> explicit_weights_{0};
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<std::uint64_t> membership_version_{1};
  std::atomic<std::uint64_t> weight_version_{1};  // membership included
  std::atomic<std::int64_t> lease_ttl_ms_{0};

  // Written by every pick of round-robin.
  alignas(64) std::atomic<std::uint32_t> position_{0};
  std::atomic<std::uint64_t> scarce_turns_{0};
};

}  // namespace azora::balancer
