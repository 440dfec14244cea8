#pragma once
// The two clocks of the project. Steady time orders and measures; wall time is only displayed or
// stored, never compared. Code asks a Loop for both at once (Now); nothing else reads a clock. Values: pure.
#include <chrono>
#include <cstdint>
#include <optional>

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

// std::optional<SteadyTime> in eight bytes instead of sixteen: a service has eight of them, 64 bytes in all. It cannot
// hold SteadyTime::min(), which no clock returns.
class OptionalTime {
 public:
  constexpr OptionalTime() = default;
  constexpr OptionalTime(std::nullopt_t) {}                // implicit, as of std::optional
  constexpr OptionalTime(SteadyTime time) : time_(time) {}
  constexpr OptionalTime(const std::optional<SteadyTime>& time) : time_(time.value_or(SteadyTime::min())) {}
  constexpr operator std::optional<SteadyTime>() const { return has_value() ? std::optional(time_) : std::nullopt; }

  constexpr bool has_value() const { return time_ != SteadyTime::min(); }
  constexpr explicit operator bool() const { return has_value(); }
  constexpr const SteadyTime& operator*() const { return time_; }
  constexpr SteadyTime value_or(SteadyTime other) const { return has_value() ? time_ : other; }
  constexpr void reset() { time_ = SteadyTime::min(); }
  friend constexpr bool operator==(const OptionalTime&, const OptionalTime&) = default;

 private:
  SteadyTime time_ = SteadyTime::min();
};

constexpr Millis to_millis(Nanos span) { return std::chrono::duration_cast<Millis>(span); }

}  // namespace azora
