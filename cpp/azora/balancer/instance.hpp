#pragma once
// One candidate: the live object of one registered service, shared by all its pools. Its id and endpoint never
// change; a service that moves gets a new Instance. Its tier, weight and load are atomic, so a change is one store
// that every pick sees at once.
// Threads: the setters on the control thread; leases and all readers any thread.
// Ownership: pools, derived tables and readers share it; it may outlive its registration and is then gone(). It holds
// the spec that it was made of, for the names; a later spec with other weights or checks does not replace it.
// Fails: never. Semantics 12, 39, 43, 44.
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "azora/balancer/types.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::balancer {

class Pool;

// All facts of a pool entry, here from the start so that drain, maintenance, outlier ejection and slow start change
// values and no layout (R44).
struct EntryFacts : Standing {
  bool ejected = false;
  bool weightless = false;  // weight 0
};

class Instance : public std::enable_shared_from_this<Instance> {
 public:
  // The spec has an endpoint.
  Instance(std::uint64_t serial, SpecPtr spec, std::uint32_t slot)
      : serial_(serial), spec_(std::move(spec)), slot_(slot) {}
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  std::uint64_t serial() const { return serial_; }  // of the registration
  std::uint64_t stamp() const { return stamp_; }    // of this object; never reused in a process
  std::uint32_t slot() const { return slot_; }      // small; reused after this one is gone
  const ServiceSpec& spec() const { return *spec_; }
  const std::string& id() const { return spec_->id; }
  const std::string& endpoint() const { return spec_->endpoint->text; }

  // Whether a pick among those may choose it. A pick asks this last, before it returns the instance.
  bool in(Among among) const {
    return (state_.load(std::memory_order_acquire) >> static_cast<unsigned>(among)) & 1U;
  }
  Tier tier() const {
    return in(Among::healthy)    ? Tier::healthy
           : in(Among::degraded) ? Tier::degraded
                                 : Tier::excluded;
  }
  Exclusion exclusion() const {
    return static_cast<Exclusion>(state_.load(std::memory_order_acquire) >> kReasonShift);
  }
  bool gone() const { return exclusion() == Exclusion::gone; }
  // Steady time of the end of an ejection, 0: none. For explanations; the control thread ends it.
  std::int64_t ejected_until_ns() const {
    return ejected_until_ns_.load(std::memory_order_relaxed);
  }
  std::uint64_t incarnation() const { return incarnation_.load(std::memory_order_relaxed); }

  // The weight for the strategy `weighted`: the one that was set, else the priority; times the slow-start factor.
  double weight() const {
    return weight_.load(std::memory_order_relaxed) * ramp_.load(std::memory_order_relaxed);
  }
  bool explicit_weight() const { return explicit_weight_.load(std::memory_order_relaxed); }
  // What least-connections divides the load by: 1 unless a weight was set (R42).
  double load_weight() const {
    return (explicit_weight() ? weight_.load(std::memory_order_relaxed) : 1.0) *
           ramp_.load(std::memory_order_relaxed);
  }

  // Number of live leases. A lease belongs to the life in which it was taken: end_leases() ends all leases of one
  // life at once, and a later release finds the number of another life.
  std::uint32_t load() const {
    return static_cast<std::uint32_t>(leases_.load(std::memory_order_relaxed));
  }
  std::uint32_t take_lease() const {
    return static_cast<std::uint32_t>(leases_.fetch_add(1, std::memory_order_relaxed) >> 32);
  }
  // False when that life is over.
  bool end_lease(std::uint32_t life) const {
    std::uint64_t seen = leases_.load(std::memory_order_relaxed);
    while (static_cast<std::uint32_t>(seen >> 32) == life && static_cast<std::uint32_t>(seen) > 0) {
      if (leases_.compare_exchange_weak(seen, seen - 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }

 private:
  friend class Pool;
  friend class PoolSet;

  static constexpr unsigned kReasonShift = 8;

  static std::uint64_t next_stamp() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  // The control thread's part: the places of the instance in its pools.
  struct Membership {
    Pool* pool = nullptr;
    std::uint32_t place = 0;
  };
  static constexpr std::size_t kMostPools = 2;  // its type, and its group or its own name

  bool in_pool(const Pool* pool) const {
    for (const Membership& one : memberships_) {
      if (one.pool == pool) return true;
    }
    return false;
  }

  // Stores at once what follows from the standing. False when nothing changed.
  bool apply_standing() {
    const EntryFacts& now = facts_;
    const Exclusion why = now.why == Exclusion::gone         ? Exclusion::gone
                          : now.admin == Admin::maintenance  ? Exclusion::maintenance
                          : now.admin == Admin::draining     ? Exclusion::draining
                          : now.ejected                      ? Exclusion::ejected
                          : now.why != Exclusion::none       ? now.why
                          : now.weightless                   ? Exclusion::no_weight
                                                             : Exclusion::none;
    const bool open = why == Exclusion::none;
    std::uint32_t state = static_cast<std::uint32_t>(why) << kReasonShift;
    if (open && now.tier == Tier::healthy) state |= bit(Among::healthy);
    if (open && now.tier == Tier::degraded) state |= bit(Among::degraded);
    const bool alive = open || why == Exclusion::unknown || why == Exclusion::unhealthy;
    if (alive && !now.weightless) state |= bit(Among::alive);
    if (why != Exclusion::gone && !now.weightless) state |= bit(Among::sharing);
    if (state_.load(std::memory_order_relaxed) == state) return false;
    state_.store(state, std::memory_order_seq_cst);
    return true;
  }
  static constexpr std::uint32_t bit(Among among) {
    return std::uint32_t{1} << static_cast<unsigned>(among);
  }

  void end_leases() {
    const std::uint64_t life = (leases_.load(std::memory_order_relaxed) >> 32) + 1;
    leases_.store(life << 32, std::memory_order_relaxed);
  }

  // In this order, what every pick writes (leases) is more than a cache line away from what every pick reads (state,
  // weights), in this instance and in one that lies beside it; alignment would cost 128 bytes.
  // Upper half: number of the life; lower half: live leases of it.
  mutable std::atomic<std::uint64_t> leases_{0};

  const std::uint64_t serial_;
  const std::uint64_t stamp_ = next_stamp();
  const SpecPtr spec_;
  std::array<Membership, kMostPools> memberships_{};  // control thread
  std::atomic<std::uint64_t> incarnation_{0};
  std::atomic<std::int64_t> ejected_until_ns_{0};
  EntryFacts facts_;  // control thread
  const std::uint32_t slot_;

  // Bits 0-3: one for each Among it belongs to; from bit 8: the Exclusion.
  std::atomic<std::uint32_t> state_{static_cast<std::uint32_t>(Exclusion::unknown) << kReasonShift};
  std::atomic<bool> explicit_weight_{false};
  std::atomic<double> weight_{1};
  std::atomic<double> ramp_{1};
};

}  // namespace azora::balancer
