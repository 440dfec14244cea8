#pragma once
// Wall time as the seed writes it: "2025-01-31T12:00:00.000Z" (ISO 8601, UTC, milliseconds).
// Threads: any; pure functions (no locale, no time zone data).
#include <optional>
#include <string>
#include <string_view>

#include "azora/base/time.hpp"

namespace azora {

std::string iso_time(WallTime time);
void append_iso_time(std::string& out, WallTime time);  // without quotes
// The reverse of iso_time, exactly that form; nullopt for anything else.
std::optional<WallTime> wall_time_from_iso(std::string_view text);

}  // namespace azora
