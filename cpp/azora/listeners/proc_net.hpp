#pragma once
// The same as socket_diag.hpp from /proc/net/tcp and tcp6, where the kernel's diagnostics are refused. They say neither
// the cgroup nor whether a socket of IPv6 takes IPv4 too, which is taken to be so.
// Threads: any; waits for the kernel alone. Fails: nullopt where they cannot be read.
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "azora/listeners/listener.hpp"

namespace azora::listeners {

std::optional<std::vector<Listener>> read_proc_net(std::uint16_t port);

// Appends those that listen on `port` by the text of one of the two files. Other lines are left out.
void parse_proc_net(std::string_view text, bool ipv6, std::uint16_t port, std::vector<Listener>& found);

}  // namespace azora::listeners
