#include "azora/model/local_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace azora {
namespace {

using Kind = LocalAddress::Kind;

constexpr std::uint32_t kLoopback = 0x7f00'0001;

std::optional<LocalAddress> of_ipv4(std::uint32_t address) {
  if (address == INADDR_ANY) return LocalAddress{Kind::any_ipv4};
  if (address >> 24 == 127) return LocalAddress{Kind::ipv4, address};
  return std::nullopt;
}

bool is_localhost(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  return std::equal(host.begin(), host.end(), kName.begin(), kName.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// For one address or for localhost.
bool holds_ipv4(const LocalAddress& one, std::uint32_t address) {
  return one.kind == Kind::ipv4 ? one.ipv4 == address : address == kLoopback;
}

bool holds_ipv6(const LocalAddress& one) {
  return one.kind == Kind::any || one.kind == Kind::ipv6 || one.kind == Kind::localhost;
}

}  // namespace

std::optional<LocalAddress> local_address(std::string_view host) {
  if (is_localhost(host)) return LocalAddress{Kind::localhost};
  const std::string text(host);
  in_addr v4{};
  // Also as a client would read 127.1, 0x7f000001 and 2130706433.
  if (inet_aton(text.c_str(), &v4) == 1) return of_ipv4(ntohl(v4.s_addr));
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return std::nullopt;
  if (IN6_IS_ADDR_UNSPECIFIED(&v6)) return LocalAddress{Kind::any};
  if (IN6_IS_ADDR_LOOPBACK(&v6)) return LocalAddress{Kind::ipv6};
  if (!IN6_IS_ADDR_V4MAPPED(&v6)) return std::nullopt;
  std::uint32_t inner = 0;
  std::memcpy(&inner, v6.s6_addr + 12, sizeof inner);
  return of_ipv4(ntohl(inner));
}

bool overlap(const LocalAddress& a, const LocalAddress& b) {
  if (holds_ipv6(a) && holds_ipv6(b)) return true;
  const auto every_ipv4 = [](const LocalAddress& one) { return one.kind == Kind::any || one.kind == Kind::any_ipv4; };
  if (every_ipv4(a)) return b.kind != Kind::ipv6;
  if (every_ipv4(b)) return a.kind != Kind::ipv6;
  if (a.kind == Kind::ipv6 || b.kind == Kind::ipv6) return false;
  return holds_ipv4(a, b.kind == Kind::ipv4 ? b.ipv4 : kLoopback);
}

}  // namespace azora
