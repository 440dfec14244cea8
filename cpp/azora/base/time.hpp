#pragma once
// The two clocks of the project. Steady time orders and measures; wall time is only displayed or
// stored, never compared. Code asks a Loop for both at once (Now); nothing else reads a clock.
#include <chrono>
#include <cstdint>

namespace azora {

using Nanos = std::chrono::nanoseconds;
using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Nanos>;

// Milliseconds since the Unix epoch, UTC.
struct WallTime {
  std::int64_t ms = 0;
  friend bool operator==(WallTime, WallTime) = default;
};

struct Now {
  SteadyTime steady{};
  WallTime wall{};
};

constexpr Millis to_millis(Nanos span) { return std::chrono::duration_cast<Millis>(span); }

}  // namespace azora
