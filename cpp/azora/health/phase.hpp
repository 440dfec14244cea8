#pragma once
// Where on its grid a service is probed. Services of one interval form a class; each has an ordinal in it,
// and its phase is the ordinal's point of the golden-ratio sequence. So phases are spread evenly for any number of
// services (hashes of ids would not be), and are the same after a restart with the same ordinals.
// The grid counts from the steady clock's epoch, so it is the same for every run since boot.
// Threads: any (pure).
#include <cmath>
#include <cstdint>

#include "azora/base/hash.hpp"
#include "azora/base/time.hpp"

namespace azora::health {

using Ordinal = std::uint32_t;

// Offset of the grid within one interval, in [0, interval).
inline Nanos phase_of(Ordinal ordinal, Nanos interval) {
  constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ULL;  // 2^64 / phi
  // Each class starts at another point, so that the first members of many classes are not due at the same time.
  const std::uint64_t start = mix64(static_cast<std::uint64_t>(interval.count()));
  const std::uint64_t point = start + kGoldenRatio * ordinal;
  const double fraction = static_cast<double>(point >> 11) * 0x1.0p-53;
  return Nanos(static_cast<std::int64_t>(fraction * static_cast<double>(interval.count())));
}

// The first grid point after `after`.
inline SteadyTime next_grid_point(SteadyTime after, Nanos interval, Nanos phase) {
  const std::int64_t past = (after.time_since_epoch() - phase).count();
  std::int64_t cycles = past / interval.count();
  if (past < 0 && cycles * interval.count() != past) --cycles;
  return SteadyTime(phase + (cycles + 1) * interval);
}

// The first whole tick at or after `at`.
inline SteadyTime round_up(SteadyTime at, Nanos tick) {
  const std::int64_t ns = at.time_since_epoch().count();
  const std::int64_t rest = ns % tick.count();
  return rest == 0 ? at : SteadyTime(Nanos(ns - rest + tick.count()));
}

}  // namespace azora::health
