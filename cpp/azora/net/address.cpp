#include "azora/net/address.hpp"

#include <arpa/inet.h>

#include <cstring>

namespace azora::net {

std::optional<Address> Address::parse(const std::string& host, std::uint16_t port) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return from_ipv4(v4, port);
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return from_ipv6(v6, port);
  return std::nullopt;
}

Address Address::from_ipv4(const in_addr& address, std::uint16_t port) {
  Address out;
  out.storage_.v4.sin_family = AF_INET;
  out.storage_.v4.sin_port = htons(port);
  out.storage_.v4.sin_addr = address;
  return out;
}

Address Address::from_ipv6(const in6_addr& address, std::uint16_t port) {
  Address out;
  out.v6_ = true;
  out.storage_.v6.sin6_family = AF_INET6;
  out.storage_.v6.sin6_port = htons(port);
  out.storage_.v6.sin6_addr = address;
  return out;
}

Address Address::with_port(std::uint16_t port) const {
  Address out = *this;
  (v6_ ? out.storage_.v6.sin6_port : out.storage_.v4.sin_port) = htons(port);
  return out;
}

std::uint32_t Address::ipv4() const {
  if (!v6_) return ntohl(storage_.v4.sin_addr.s_addr);
  if (!IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) return 0;
  std::uint32_t inner = 0;
  std::memcpy(&inner, storage_.v6.sin6_addr.s6_addr + 12, sizeof inner);
  return ntohl(inner);
}

bool Address::is_loopback() const {
  if (v6_ && IN6_IS_ADDR_LOOPBACK(&storage_.v6.sin6_addr)) return true;
  return ipv4() >> 24 == 127;
}

bool Address::is_forbidden() const {
  const std::uint32_t v4 = ipv4();
  if (v4 >> 16 == 0xa9fe) return true;                       // 169.254/16: link-local, most clouds' metadata
  if (v4 == 0x646464c8 || v4 == 0xa83f8110) return true;     // 100.100.100.200 and 168.63.129.16: metadata
  if (!v6_) return false;
  if (IN6_IS_ADDR_LINKLOCAL(&storage_.v6.sin6_addr)) return true;
  static const Address kMetadata = *parse("fd00:ec2::254", 0);
  return std::memcmp(&storage_.v6.sin6_addr, &kMetadata.storage_.v6.sin6_addr, sizeof(in6_addr)) == 0;
}

std::string Address::text() const {
  char buffer[INET6_ADDRSTRLEN] = {};
  const void* address = v6_ ? static_cast<const void*>(&storage_.v6.sin6_addr) : &storage_.v4.sin_addr;
  inet_ntop(family(), address, buffer, sizeof buffer);
  return buffer;
}

bool connected_to_itself(int fd) {
  sockaddr_storage own{};
  sockaddr_storage peer{};
  socklen_t own_size = sizeof own;
  socklen_t peer_size = sizeof peer;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) == 0 && own_size == peer_size &&
         std::memcmp(&own, &peer, own_size) == 0;
}

bool operator==(const Address& a, const Address& b) {
  return a.v6_ == b.v6_ && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace azora::net
