#include "azora/listeners/proc_net.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

#include "azora/listeners/processes.hpp"
#include "azora/listeners/socket_diag.hpp"

namespace azora::listeners {
namespace {

template <typename Number>
bool read_number(std::string_view text, int base, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return failure == std::errc{} && end == text.data() + text.size();
}

std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

// "0100007F:1B59": the words of the address in the byte order of the machine.
bool read_address(std::string_view text, bool ipv6, Listener& listener) {
  constexpr std::size_t kWord = 8;
  const std::size_t words = ipv6 ? 4 : 1;
  if (text.size() <= words * kWord || text[words * kWord] != ':') return false;
  for (std::size_t i = 0; i < words; ++i) {
    std::uint32_t word = 0;
    if (!read_number(text.substr(i * kWord, kWord), 16, word)) return false;
    std::memcpy(listener.address.data() + i * sizeof word, &word, sizeof word);
  }
  return read_number(text.substr(words * kWord + 1), 16, listener.port);
}

void parse_line(std::string_view line, bool ipv6, std::uint16_t wanted, std::vector<Listener>& found) {
  constexpr std::string_view kListen = "0A";
  constexpr std::size_t kLocal = 1, kState = 3, kUid = 7, kInode = 9;
  std::array<std::string_view, kInode + 1> words;
  for (std::string_view& word : words) word = next_word(line);
  Listener listener{.ipv6 = ipv6};
  if (words[kState] != kListen || !read_address(words[kLocal], ipv6, listener)) return;
  if (wanted != kAllPorts && listener.port != wanted) return;
  if (!read_number(words[kUid], 10, listener.uid) || !read_number(words[kInode], 10, listener.inode)) return;
  found.push_back(listener);
}

}  // namespace

void parse_proc_net(std::string_view text, bool ipv6, std::uint16_t port, std::vector<Listener>& found) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    parse_line(text.substr(0, end), ipv6, port, found);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
}

std::optional<std::vector<Listener>> read_proc_net(std::uint16_t port) {
  std::vector<Listener> found;
  const std::optional<std::string> ipv4 = read_file("/proc/net/tcp");
  if (!ipv4) return std::nullopt;
  parse_proc_net(*ipv4, false, port, found);
  // Missing where the machine has no IPv6.
  if (const std::optional<std::string> ipv6 = read_file("/proc/net/tcp6")) parse_proc_net(*ipv6, true, port, found);
  return found;
}

}  // namespace azora::listeners
