#include "azora/model/iso_time.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace azora {
namespace {

void put_digits(char* at, int count, std::uint64_t value) {
  for (int i = count - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(text.data() + at, text.data() + at + count, value);
  if (fault != std::errc{} || end != text.data() + at + count) return std::nullopt;
  return value;
}

}  // namespace

void append_iso_time(std::string& out, WallTime time) {
  using std::chrono::days;
  const std::chrono::sys_time<Millis> point{Millis{time.ms}};
  const auto day = std::chrono::floor<days>(point);
  const std::chrono::year_month_day date{day};
  const auto ms = static_cast<std::uint64_t>((point - day).count());
  const int year = static_cast<int>(date.year());
  std::array<char, 25> text = {"0000-00-00T00:00:00.000Z"};
  put_digits(text.data(), 4, static_cast<std::uint64_t>(year < 0 ? 0 : year > 9999 ? 9999 : year));
  put_digits(text.data() + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(text.data() + 8, 2, static_cast<unsigned>(date.day()));
  put_digits(text.data() + 11, 2, ms / 3'600'000);
  put_digits(text.data() + 14, 2, ms / 60'000 % 60);
  put_digits(text.data() + 17, 2, ms / 1000 % 60);
  put_digits(text.data() + 20, 3, ms % 1000);
  out.append(text.data(), 24);
}

std::string iso_time(WallTime time) {
  std::string out;
  append_iso_time(out, time);
  return out;
}

std::optional<WallTime> wall_time_from_iso(std::string_view text) {
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*digits(text, 0, 4))},
                                         std::chrono::month{*digits(text, 5, 2)},
                                         std::chrono::day{*digits(text, 8, 2)}};
  const unsigned hour = *digits(text, 11, 2);
  const unsigned minute = *digits(text, 14, 2);
  const unsigned second = *digits(text, 17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto point = std::chrono::sys_time<Millis>{std::chrono::sys_days{date}} +
                     std::chrono::hours{hour} + std::chrono::minutes{minute} +
                     std::chrono::seconds{second} + Millis{*digits(text, 20, 3)};
  return WallTime{point.time_since_epoch().count()};
}

}  // namespace azora
