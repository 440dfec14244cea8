#pragma once
// Chooses an instance of a pool. Picks run on any thread, without locks; the control thread fills the pools.
//   pick()       everything: strategy, client key, lease, explanation; errors with a message
//   pick_fast()  the instance alone, in some nanoseconds; when it returns null, pick() says why
// Threads: pools() belongs to the control thread; all else any thread. The destructor when no call
// is running. Ownership: owns pools and leases. What pick_fast() returns lives until the calling
// thread's next pick here; Pick holds its instance.
// Order (R10): when a tier is set before an event is published, every pick that begins after the event was read sees
// that tier.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/balancer/directory.hpp"
#include "azora/balancer/leases.hpp"
#include "azora/balancer/name_key.hpp"
#include "azora/balancer/pick.hpp"
#include "azora/balancer/pool_set.hpp"
#include "azora/balancer/quick.hpp"
#include "azora/balancer/strategy.hpp"
#include "azora/base/per_thread.hpp"
#include "azora/base/result.hpp"

namespace azora::balancer {

// A name of one balancer, looked up once. Belongs to one thread at a time.
class PoolHandle {
 public:
  PoolHandle() : key_(NameKey::none()) {}  // of no pool
  explicit PoolHandle(std::string_view name) : name_(name), key_(name) {}
  const std::string& name() const { return name_; }

 private:
  friend class Balancer;
  std::string name_;
  NameKey key_;
  std::uint64_t pools_version_ = 0;
  std::uint64_t ones_version_ = 0;
  PoolReader reader_;               // pool null: no stored pool of that name
  std::shared_ptr<Instance> one_;   // then the service of that id, if any
  Random random_{0};                // seeded with the first look-up
};

struct BalancerOptions {
  Worker worker;                    // rebuilds large tables; empty: the pick that needs them does
  std::uint64_t seed = 0;           // for ties and samples
  Leases::RandomBytes random_bytes; // for lease ids; empty: the kernel's
  std::size_t most_leases = Leases::kMost;
};

struct BalancerMetrics {
  std::uint64_t members_touched = 0;
  std::uint64_t flaps = 0;
  std::uint64_t names_published = 0;
  std::uint64_t tables_built = 0;
  std::uint64_t table_entries_built = 0;
  std::uint64_t leases_taken = 0;
  std::uint64_t leases_released = 0;
  std::uint64_t leases_expired = 0;
  std::uint64_t leases_held = 0;
};

class Balancer {
 public:
  explicit Balancer(BalancerOptions options = {});
  ~Balancer();
  Balancer(const Balancer&) = delete;
  Balancer& operator=(const Balancer&) = delete;

  // Control thread.
  PoolSet& pools() { return pools_; }

  // no_healthy_instance: no member is eligible, or there is no such pool; invalid_argument: ip-hash without key
  // and peer.
  Result<Pick> pick(std::string_view pool, const PickRequest& request = {});
  // The candidates of a pick, with the reason of each that is excluded; empty when there is no such pool.
  std::vector<Candidate> candidates(std::string_view pool, std::optional<Strategy> strategy = {}) const;

  [[gnu::always_inline]] const Instance* pick_fast(std::string_view pool, std::optional<Strategy> strategy = {},
                                                   std::string_view key = {});
  // The same without the look-up; the instance lives until the next use of this handle. TurnTakers::one_at_a_time is
  // for threads of which only one picks at a time, such as Python's: turns are then taken without a locked
  // instruction.
  template <TurnTakers kTakers = TurnTakers::any_thread>
  [[gnu::always_inline]] const Instance* pick_fast(PoolHandle& pool, std::optional<Strategy> strategy = {},
                                                   std::string_view key = {});

  // False when the lease had already ended or never existed.
  bool release(std::string_view lease_id, SteadyTime now) { return leases_.release(lease_id, now); }
  // For a timer of the owner: ends the leases that are due.
  void expire_leases(SteadyTime now) { leases_.expire(now); }

  // `hook` runs on the picking thread when the first lease is taken. The owner then calls expire_leases() from time
  // to time until rest_lease_hook() says that no lease is left; the next lease runs the hook again. Set before the
  // first pick.
  void set_lease_hook(std::function<void()> hook) { lease_hook_ = std::move(hook); }
  bool rest_lease_hook();

  BalancerMetrics metrics() const;
  std::uint64_t members_touched() const;  // of these, for every turn

 private:
  static constexpr std::size_t kHandles = 128;  // names a thread remembers
  using Handles = std::array<PoolHandle, kHandles>;

  static PoolHandle* known_handle(Handles& handles, const NameKey& key);
  PoolHandle& handle(std::string_view name) const;
  template <TurnTakers kTakers>
  [[gnu::always_inline]] const Instance* pick_inlined(PoolHandle& pool, std::optional<Strategy> strategy) const;
  [[gnu::noinline]] const Instance* pick_full(PoolHandle& pool, std::optional<Strategy> strategy,
                                                std::string_view key);
  [[gnu::noinline]] const Instance* pick_by_name(std::string_view pool, std::optional<Strategy> strategy,
                                                 std::string_view key);
  void resolve(PoolHandle& handle) const;
  [[gnu::noinline]] void resolve_anew(PoolHandle& handle) const;
  Instance* choose(PoolHandle& handle, Strategy strategy, Ask& ask) const;
  Strategy strategy_of(const PoolHandle& handle, std::optional<Strategy> asked) const;
  std::vector<Candidate> explain(PoolHandle& handle, Strategy strategy, Among among) const;

  std::shared_ptr<PoolShared> shared_;
  Directory directory_;
  PoolSet pools_;
  Leases leases_;
  std::function<void()> lease_hook_;
  std::atomic<bool> lease_hook_busy_{false};
  std::uint64_t seed_;
  mutable std::atomic<std::uint64_t> handles_seeded_{0};
  PerThread<Handles> handles_;
};

inline PoolHandle* Balancer::known_handle(Handles& handles, const NameKey& key) {
  PoolHandle& place = handles[key.bucket(kHandles)];
  return place.key_ == key && key.is_whole() ? &place : nullptr;
}

// The common case is inlined into its caller and makes no call: calls cost as much as the pick.
template <TurnTakers kTakers>
inline const Instance* Balancer::pick_inlined(PoolHandle& handle, std::optional<Strategy> strategy) const {
  PoolReader& reader = handle.reader_;
  if (handle.pools_version_ != directory_.pools.version() || !reader.pool) [[unlikely]] return nullptr;
  const Strategy used = strategy ? *strategy : reader.pool->strategy();
  // No member has any load: all are equal.
  const bool even = used == Strategy::least_connections && leases_.is_idle();
  return even ? quick_any(reader, handle.random_) : quick_pick<kTakers>(reader, used, handle.random_);
}

template <TurnTakers kTakers>
inline const Instance* Balancer::pick_fast(PoolHandle& handle, std::optional<Strategy> strategy, std::string_view key) {
  const Instance* found = pick_inlined<kTakers>(handle, strategy);
  if (found) [[likely]] return found;
  return pick_full(handle, strategy, key);
}

inline const Instance* Balancer::pick_fast(std::string_view pool, std::optional<Strategy> strategy, std::string_view key) {
  if (Handles* handles = handles_.last_here()) [[likely]] {
    if (PoolHandle* known = known_handle(*handles, NameKey(pool))) [[likely]] {
      const Instance* found = pick_inlined<TurnTakers::any_thread>(*known, strategy);
      if (found) [[likely]] return found;
      return pick_full(*known, strategy, key);
    }
  }
  return pick_by_name(pool, strategy, key);
}

// [{"serviceId","tier","load","loadSource","weight","excluded"?}] (R46d).
std::string candidates_json(const std::vector<Candidate>& candidates);

}  // namespace azora::balancer
