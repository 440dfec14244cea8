#pragma once
// Cheap random numbers for ties and samples (splitmix64): not for secrets. Seeded by its owner, so
// that a simulation replays. Threads: one at a time.
#include <cstdint>

#include "azora/base/hash.hpp"

namespace azora::balancer {

// a * b / 2^64: turns a random number into one below `b`, without division.
inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(a) * b) >> 64);
}
// a * b / c, exact in between; the result fits when a < c.
inline std::uint64_t multiply_divide(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b / c);
}

inline std::uint64_t multiply_modulo(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % c);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }
  std::uint64_t below(std::uint64_t end) { return multiply_high(next(), end); }

 private:
  std::uint64_t state_;
};

}  // namespace azora::balancer
