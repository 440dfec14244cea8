#include "azora/listeners/hosts_file.hpp"

#include <algorithm>
#include <string>

#include "azora/listeners/processes.hpp"

namespace azora::listeners {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool names(std::string_view line, std::string_view name) {
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    if (same_name(word, name)) return true;
  }
  return false;
}

}  // namespace

std::optional<LocalAddress> loopback_in(std::string_view text, std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string_view ipv4;
  std::string_view ipv6;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const std::string_view address = next_word(line);
    std::string_view& first = address.find(':') == std::string_view::npos ? ipv4 : ipv6;
    if (first.empty() && names(line, name)) first = address;
  }
  const std::optional<LocalAddress> found = local_address(ipv4.empty() ? ipv6 : ipv4);
  const bool loopback = found && (found->kind == LocalAddress::Kind::ipv4 || found->kind == LocalAddress::Kind::ipv6);
  return loopback ? found : std::nullopt;
}

std::optional<std::string> hosts_text() { return read_file("/etc/hosts"); }

std::optional<LocalAddress> loopback_of(std::string_view name) {
  const std::optional<std::string> text = hosts_text();
  return text ? loopback_in(*text, name) : std::nullopt;
}

}  // namespace azora::listeners
