#pragma once
// Finds in /proc/net/tcp and tcp6 what socket_diag.hpp finds, for kernels that refuse their diagnostics. The files say
// neither the cgroup nor whether an IPv6 socket takes IPv4, too; we assume that it does.
// Threads: any; waits for the kernel alone. Fails: nullopt where they cannot be read.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "azora/listeners/listener.hpp"

namespace azora::listeners {

// kAllPorts (socket_diag.hpp) as the port stands for every one.
std::optional<std::vector<Listener>> read_proc_net(std::uint16_t port);

// Appends the listeners on `port` that `text` shows; it is the content of one of the two files.
void parse_proc_net(std::string_view text, bool ipv6, std::uint16_t port, std::vector<Listener>& found);

}  // namespace azora::listeners
