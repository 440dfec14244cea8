#pragma once
// The kernel's socket diagnostics (NETLINK_SOCK_DIAG): all TCP sockets that listen on one port of our network namespace,
// or on any, one dump for each family. Needs no rights; where its module is missing or a filter forbids it, it is refused.
// Threads: any; waits for the kernel alone. Fails: nullopt where the kernel refuses.
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "azora/listeners/listener.hpp"

namespace azora::listeners {

inline constexpr std::uint16_t kAllPorts = 0;  // no socket listens on port 0

std::optional<std::vector<Listener>> ask_socket_diag(std::uint16_t port);

// What one datagram of a dump says.
enum class DumpPart { more, end, refused };
// Appends the listeners on `port` that the datagram holds. Damaged messages are `refused`.
DumpPart read_dump(std::span<const std::byte> datagram, std::uint16_t port, std::vector<Listener>& found);

}  // namespace azora::listeners
