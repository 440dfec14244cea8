#pragma once
// The numbers of a pool that every pick reads and every change writes, in one cache line: the options, how many
// members there are and are eligible, and the versions by which readers see that something changed. These numbers
// alone decide among which members a pick chooses.
// Threads: any thread reads; configure() and what is below "Control thread" belong to that thread, which alone
// writes, so no read-modify-write is needed. A version grows after the change that it announces.
// Fails: never.
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "azora/balancer/types.hpp"

namespace azora::balancer {

class alignas(64) PoolNumbers {
 public:
  PoolOptions options() const;
  Strategy strategy() const { return static_cast<Strategy>(word() & kStrategyMask); }
  Millis lease_ttl() const { return Millis(lease_ttl_ms_.load(std::memory_order_relaxed)); }
  bool has_panic_threshold() const { return word() >> kPanicShift; }

  // Members now, and those eligible.
  std::uint32_t size() const { return live_.load(std::memory_order_relaxed); }
  std::uint32_t count(Among among) const {
    return counts_[static_cast<std::size_t>(among)].load(std::memory_order_acquire);
  }
  // The members that a pick chooses among; nullopt: none is eligible.
  std::optional<Among> among() const;
  // Whether any member has a weight of its own.
  bool explicit_weights() const { return explicit_weights_.load(std::memory_order_relaxed) > 0; }

  // epoch() grows with every change of eligibility, membership or weight; membership_version() with every change of
  // membership; weight_version() with every change of weight or membership.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  std::uint64_t membership_version() const { return membership_version_.load(std::memory_order_acquire); }
  std::uint64_t weight_version() const { return weight_version_.load(std::memory_order_acquire); }

  // Control thread.
  void configure(const PoolOptions& options);
  void add_member(bool explicit_weight);
  void remove_member(bool explicit_weight);
  // Counts one more member that is eligible, or one less.
  void count_eligible(Among among, bool more);
  // `more`: how many more have a weight of their own.
  void count_explicit_weights(int more);
  void membership_changed();
  void weights_changed() { bump(weight_version_); }
  void changed() { bump(epoch_); }

 private:
  // Options as one word, so that a pick reads them at once: strategy, allow_degraded, panic threshold in millionths.
  static constexpr std::uint32_t kStrategyMask = 0xff;
  static constexpr std::uint32_t kDegradedBit = 0x100;
  static constexpr unsigned kPanicShift = 9;
  static constexpr double kPanicScale = 1e6;  // below 2^(32-9)

  static std::uint32_t pack(const PoolOptions& options);
  static void bump(std::atomic<std::uint64_t>& number) {
    number.store(number.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  std::uint32_t word() const { return options_.load(std::memory_order_relaxed); }

  std::atomic<std::uint32_t> options_{0};
  std::array<std::atomic<std::uint32_t>, kAmongCount> counts_{};
  std::atomic<std::uint32_t> live_{0};
  std::atomic<std::uint32_t> explicit_weights_{0};
  std::atomic<std::uint64_t> epoch_{0};
  std::atomic<std::uint64_t> membership_version_{1};
  std::atomic<std::uint64_t> weight_version_{1};  // membership included
  std::atomic<std::int64_t> lease_ttl_ms_{0};
};
static_assert(sizeof(PoolNumbers) == 64);

}  // namespace azora::balancer
