#pragma once
// The message about a key that is not a known field: the nearest known one, or the object it belongs to.
// Threads: any; pure functions.
#include <cstddef>
#include <string>
#include <string_view>

#include "azora/model/spec_fields.hpp"

namespace azora {

// The rest of a fault about `key` in an object of `section`.
std::string unknown_field_message(Section section, std::string_view key);

// Insertions, deletions, replacements and swaps of neighbours that turn one string into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace azora
