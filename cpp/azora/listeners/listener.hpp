#pragma once
// One TCP socket that listens, as the kernel describes it.
// Threads: any; a value. Fails: never.
#include <array>
#include <cstdint>

namespace azora::listeners {

struct Listener {
  bool ipv6 = false;                         // of the family AF_INET6, which may take IPv4 too
  bool only_ipv6 = false;                    // such a one that does not
  std::array<std::uint8_t, 16> address{};    // as on the wire; of IPv4 the first four bytes
  std::uint64_t inode = 0;                   // 0: no process holds it
  std::uint64_t cgroup = 0;                  // of the v2 hierarchy, where it was made; 0: not known
  std::uint32_t uid = 0;
};

}  // namespace azora::listeners
