#include "azora/model/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <span>

namespace azora {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

std::optional<std::int64_t> parse_with_units(std::string_view text, std::span<const Unit> units) {
  const std::size_t split = text.find_first_not_of("0123456789.");
  const std::string_view digits = text.substr(0, split);
  std::string_view name = split == std::string_view::npos ? "" : text.substr(split);
  if (name.starts_with(' ')) name.remove_prefix(1);  // "30 s"
  if (digits.empty() || digits.front() == '.' || digits.back() == '.') return std::nullopt;
  double number = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    const double value = number * static_cast<double>(unit.factor);
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (value > kExact || std::fabs(value - std::round(value)) > 1e-6) return std::nullopt;
    return std::llround(value);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  // A bare number is refused: the author of "30" may have meant seconds.
  static constexpr std::array<Unit, 5> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"min", 60'000}, {"h", 3'600'000}}};
  return parse_with_units(text, kUnits);
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  static constexpr std::array<Unit, 9> kUnits = {{{"", 1},
                                                  {"B", 1},
                                                  {"KiB", 1LL << 10},
                                                  {"MiB", 1LL << 20},
                                                  {"GiB", 1LL << 30},
                                                  {"TiB", 1LL << 40},
                                                  {"kB", 1000},
                                                  {"MB", 1'000'000},
                                                  {"GB", 1'000'000'000}}};
  return parse_with_units(text, kUnits);
}

}  // namespace azora
