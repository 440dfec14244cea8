#pragma once
// A numeric address with its port, as the kernel takes it, and the rule which addresses may never be probed.
// Threads: any (values).
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include <netinet/in.h>

namespace azora::net {

class Address {
 public:
  // "127.0.0.1", "::1" (no brackets, no zone). nullopt: not numeric. Only the plain dotted form of IPv4:
  // octal, hexadecimal and shortened spellings are names, not addresses.
  static std::optional<Address> parse(const std::string& host, std::uint16_t port);
  static Address from_ipv4(const in_addr& address, std::uint16_t port);
  static Address from_ipv6(const in6_addr& address, std::uint16_t port);

  Address with_port(std::uint16_t port) const;
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return v6_ ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  int family() const { return v6_ ? AF_INET6 : AF_INET; }
  bool is_loopback() const;
  // Link-local and cloud metadata addresses, also as v4-mapped v6: the platform of the host answers there, never a
  // service. Checked on the resolved address, right before connecting.
  bool is_forbidden() const;
  std::string text() const;  // without port

  friend bool operator==(const Address& a, const Address& b);

 private:
  Address() = default;
  std::uint32_t ipv4() const;  // host order; 0 when not v4 or v4-mapped

  union {
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_{};
  bool v6_ = false;
};

// Whether the socket is connected to itself: a connect() to a loopback port of the ephemeral range on which nothing
// listens may be given that very port as its source, and then it connects to itself.
bool connected_to_itself(int fd);

}  // namespace azora::net
