#include "azora/base/hash.hpp"

#define XXH_INLINE_ALL  // header-only: no shared library to carry in the wheel
#include <xxhash.h>

namespace azora {

std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace azora
