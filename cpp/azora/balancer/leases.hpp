#pragma once
// Which picks are held, and until when: the load that least-connections compares. A lease belongs to
// one life of one instance; it ends by release, when its time is over, or with that life (exit,
// restart, unregistration: Instance ends all of them at once). Not durable (R43).
// Threads: any; each lock is for a 16th of the leases and held for a few look-ups. Time is passed in: a lease that is
// due ends with the next call of any thread, at the latest with the owner's next expire().
// Ownership: holds the instances of live leases. Fails: take(), when kMost leases are held; ids are 128 random bits.
#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "azora/balancer/instance.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/result.hpp"
#include "azora/base/time.hpp"

namespace azora::balancer {

struct Lease {
  std::string id;  // 32 hexadecimal digits
  Millis ttl{0};
};

class Leases {
 public:
  using RandomBytes = std::function<void(std::span<std::uint8_t>)>;

  // `random`: unguessable bytes; empty: the kernel's.
  // With 4 threads that take leases at once, up to 3 more are possible. 100,000 need about 20 MB.
  static constexpr std::size_t kMost = 100'000;

  explicit Leases(RandomBytes random = {}, std::size_t most = kMost);

  // Fails: limit_reached.
  Result<Lease> take(const std::shared_ptr<const Instance>& instance, Millis ttl, SteadyTime now);
  // False when the lease had already ended, or there never was such an id.
  bool release(std::string_view id, SteadyTime now);
  // Ends what is due.
  void expire(SteadyTime now);

  // Number of records: live leases, and leases of lives that have ended, until their time is over.
  std::size_t size() const;
  // True when, by the counters, no lease is held: a lease that is being taken right now may be missed.
  bool is_idle() const { return released() + expired() == taken(); }
  std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }
  std::uint64_t released() const { return released_.load(std::memory_order_relaxed); }
  std::uint64_t expired() const { return expired_.load(std::memory_order_relaxed); }

 private:
  struct Id {
    std::uint64_t high;
    std::uint64_t low;
    friend bool operator==(const Id&, const Id&) = default;
  };
  struct IdHash {
    std::size_t operator()(const Id& id) const { return static_cast<std::size_t>(id.low); }
  };
  using Bucket = std::list<Id>;
  struct Record {
    std::shared_ptr<const Instance> instance;
    std::uint32_t life;
    SteadyTime until;
    std::map<std::int64_t, Bucket>::iterator bucket;
    Bucket::iterator place;
  };
  // Leases that end within the same tick lie in one bucket, so expiry looks only at leases that are due.
  struct Shard {
    Mutex mutex;
    std::unordered_map<Id, Record, IdHash> records AZORA_GUARDED_BY(mutex);
    std::map<std::int64_t, Bucket> due AZORA_GUARDED_BY(mutex);
    std::array<std::uint8_t, 512> random AZORA_GUARDED_BY(mutex);
    std::size_t random_used AZORA_GUARDED_BY(mutex) = 512;
  };
  static constexpr std::size_t kShards = 16;
  static constexpr Millis kTick{100};

  static std::int64_t tick_of(SteadyTime time) { return time.time_since_epoch() / kTick; }
  static std::optional<Id> parse(std::string_view text);
  static std::string text_of(const Id& id);
  Id new_id(Shard& shard) AZORA_REQUIRES(shard.mutex);
  Shard& shard_of(const Id& id) const { return shards_[id.high % kShards]; }
  void expire(Shard& shard, SteadyTime now) AZORA_REQUIRES(shard.mutex);

  bool has_room(SteadyTime now);

  RandomBytes random_;
  const std::size_t most_;
  mutable std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> next_shard_{0};
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> released_{0};
  std::atomic<std::uint64_t> expired_{0};
};

}  // namespace azora::balancer
