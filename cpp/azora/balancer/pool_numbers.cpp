#include "azora/balancer/pool_numbers.hpp"

#include <algorithm>
#include <cmath>

namespace azora::balancer {

std::uint32_t PoolNumbers::pack(const PoolOptions& options) {
  const double panic = std::clamp(options.panic_threshold, 0.0, 1.0) * kPanicScale;
  return static_cast<std::uint32_t>(options.strategy) | (options.allow_degraded ? kDegradedBit : 0) |
         (static_cast<std::uint32_t>(std::lround(panic)) << kPanicShift);
}

void PoolNumbers::configure(const PoolOptions& options) {
  options_.store(pack(options), std::memory_order_relaxed);
  lease_ttl_ms_.store(options.lease_ttl.count(), std::memory_order_relaxed);
}

PoolOptions PoolNumbers::options() const {
  const std::uint32_t packed = word();
  return {.strategy = static_cast<Strategy>(packed & kStrategyMask),
          .allow_degraded = (packed & kDegradedBit) != 0,
          .panic_threshold = (packed >> kPanicShift) / kPanicScale,
          .lease_ttl = lease_ttl()};
}

std::optional<Among> PoolNumbers::among() const {
  const std::uint32_t packed = word();
  const std::uint32_t healthy = count(Among::healthy);
  const std::uint64_t panic = packed >> kPanicShift;
  if (panic != 0) [[unlikely]] {
    const std::uint64_t usable = healthy + count(Among::degraded);
    if (usable * static_cast<std::uint64_t>(kPanicScale) < panic * count(Among::sharing) &&
        count(Among::alive) > 0) {
      return Among::alive;
    }
  }
  if (healthy > 0) [[likely]] return Among::healthy;
  if ((packed & kDegradedBit) && count(Among::degraded) > 0) return Among::degraded;
  return std::nullopt;
}

void PoolNumbers::add_member(bool explicit_weight) {
  live_.store(size() + 1, std::memory_order_relaxed);
  if (explicit_weight) count_explicit_weights(1);
}

void PoolNumbers::remove_member(bool explicit_weight) {
  live_.store(size() - 1, std::memory_order_relaxed);
  if (explicit_weight) count_explicit_weights(-1);
}

void PoolNumbers::count_eligible(Among among, bool more) {
  std::atomic<std::uint32_t>& count = counts_[static_cast<std::size_t>(among)];
  const std::uint32_t old = count.load(std::memory_order_relaxed);
  count.store(more ? old + 1 : old - 1, std::memory_order_release);
}

void PoolNumbers::count_explicit_weights(int more) {
  const std::uint32_t old = explicit_weights_.load(std::memory_order_relaxed);
  explicit_weights_.store(old + static_cast<std::uint32_t>(more), std::memory_order_relaxed);
}

void PoolNumbers::membership_changed() {
  bump(membership_version_);
  bump(weight_version_);
}

}  // namespace azora::balancer
