#pragma once
// Which addresses of this machine the host of an endpoint stands for. Numbers and `localhost` only: what a name means is
// never looked up here, so another name, and an address of a network card, is not local.
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

// `host` as in a URL, without brackets. nullopt: it is not local.
std::optional<LocalAddress> local_address(std::string_view host);

// A program that holds all that `a` stands for leaves no place for one that wants all of `b`, on one port.
bool overlap(const LocalAddress& a, const LocalAddress& b);

}  // namespace azora
