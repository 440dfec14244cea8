#pragma once
// Which addresses of this machine the host of an endpoint stands for. Only numbers and `localhost` are local: names are
// never looked up here, so any other name, and an address of a network card, is not local.
//   127.0.0.0/8    that one address          ::1          that one address
//   localhost      127.0.0.1 and ::1         0.0.0.0      every IPv4 address          ::   every address
// Threads: any; values. Fails: never.
#include <cstdint>
#include <optional>
#include <string_view>

namespace azora {

struct LocalAddress {
  enum class Kind : std::uint8_t { ipv4, ipv6, localhost, any_ipv4, any };
  Kind kind = Kind::ipv4;
  std::uint32_t ipv4 = 0;  // in host order, of Kind::ipv4
  friend bool operator==(const LocalAddress&, const LocalAddress&) = default;
};

// `host` as in a URL, without brackets. nullopt: the host is not local.
std::optional<LocalAddress> local_address(std::string_view host);

// True if a program that listens on all of `a` keeps another one from listening on all of `b` with the same port.
bool overlap(const LocalAddress& a, const LocalAddress& b);

}  // namespace azora
