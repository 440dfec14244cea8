#pragma once
// Hash containers keyed by id that are searched by string_view without making a string.
#include <string>
#include <string_view>
#include <unordered_map>

#include "azora/base/hash.hpp"

namespace azora::registry {

struct IdHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view id) const { return hash_bytes(id); }
};

template <typename T>
using IdMap = std::unordered_map<std::string, T, IdHash, std::equal_to<>>;

}  // namespace azora::registry
