#pragma once
// Stable 64-bit hashes (xxHash): the same on every machine, build and run, so that jitter, ip-hash
// tables and phases survive restarts. std::hash may differ in each of them.
#include <cstdint>
#include <string_view>

namespace azora {

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0);

// Mixes one integer (splitmix64 finaliser): for hash(key, attempt) chains.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace azora
