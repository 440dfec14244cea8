#pragma once
// The kinds of check, one row each: the values of `healthCheck.type`, and what a check of that kind needs. The table of
// lanes (health/lanes/table.hpp) says how a check is asked over the network.
// Threads: any (constant).
#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace azora {

enum class ProbeKind : std::uint8_t { http, tcp, process };

struct CheckKind {
  ProbeKind kind;
  std::string_view name;
  bool asks;            // asks the endpoint over the network; otherwise a living process is a pass
  bool speaks_http;     // has a method, headers, a status and a kept connection
  bool needs_process;
};

inline constexpr auto kCheckKinds = std::to_array<CheckKind>({
    {.kind = ProbeKind::http, .name = "http", .asks = true, .speaks_http = true, .needs_process = false},
    {.kind = ProbeKind::tcp, .name = "tcp", .asks = true, .speaks_http = false, .needs_process = false},
    {.kind = ProbeKind::process, .name = "process", .asks = false, .speaks_http = false, .needs_process = true},
});

constexpr const CheckKind& check_kind(ProbeKind kind) {
  return *std::find_if(kCheckKinds.begin(), kCheckKinds.end(), [kind](const CheckKind& row) { return row.kind == kind; });
}
// Null: there is no kind with that name.
constexpr const CheckKind* find_check_kind(std::string_view name) {
  const auto found =
      std::find_if(kCheckKinds.begin(), kCheckKinds.end(), [name](const CheckKind& row) { return row.name == name; });
  return found == kCheckKinds.end() ? nullptr : &*found;
}

namespace detail {
constexpr auto kCheckKindNames = [] {
  constexpr std::size_t kRoom = [] {
    std::size_t size = 0;
    for (const CheckKind& row : kCheckKinds) size += row.name.size() + 1;
    return size;
  }();
  std::array<char, kRoom> text{};
  std::size_t at = 0;
  for (const CheckKind& row : kCheckKinds) {
    for (const char c : row.name) text[at++] = c;
    text[at++] = ' ';
  }
  return text;
}();
}  // namespace detail

// Separated by spaces, like FieldRow::choices.
inline constexpr std::string_view kCheckKindNames{detail::kCheckKindNames.data(), detail::kCheckKindNames.size() - 1};

}  // namespace azora
