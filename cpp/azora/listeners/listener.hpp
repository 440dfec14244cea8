#pragma once
// One TCP socket that listens, as the kernel describes it.
// Threads: any; a value. Fails: never.
#include <array>
#include <cstdint>

namespace azora::listeners {

struct Listener {
  bool ipv6 = false;                         // an AF_INET6 socket, which may take IPv4 too
  bool only_ipv6 = false;                    // an AF_INET6 socket that does not take IPv4
  std::array<std::uint8_t, 16> address{};    // in network byte order; IPv4 uses the first four bytes
  std::uint16_t port = 0;
  std::uint64_t inode = 0;                   // 0: no process holds it
  std::uint64_t cgroup = 0;                  // the v2 cgroup in which it was made; 0: not known
  std::uint32_t uid = 0;
};

}  // namespace azora::listeners
