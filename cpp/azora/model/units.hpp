#pragma once
// Durations and sizes as people write them in config files and Python dicts: "500ms" "30s" "5m" "1.5h", "512" "64KiB"
// "100MiB" "1GiB". Threads: any; pure functions. Fails: nullopt for any other string, and for values that are not a
// whole number of ms or bytes.
#include <cstdint>
#include <optional>
#include <string_view>

namespace azora {

std::optional<std::int64_t> parse_duration_ms(std::string_view text);
std::optional<std::int64_t> parse_bytes(std::string_view text);

}  // namespace azora
