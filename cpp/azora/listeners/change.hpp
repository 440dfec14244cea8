#pragma once
// Whether other sockets listen on a port than when the kernel was asked whose they are (R52). One list of all sockets
// that listen is compared with many ports. Pure.
// Threads: any; values. Fails: never.
#include <cstdint>
#include <vector>

#include "azora/listeners/listener.hpp"

namespace azora::listeners {

// What listened on a port when the kernel was asked last.
struct Seen {
  std::uint64_t serial = 0;   // who asks
  std::uint16_t port = 0;
  std::uint64_t sockets = 0;  // fingerprint()
  friend bool operator==(const Seen&, const Seen&) = default;
};

// Stands for these sockets, in whatever order they are.
std::uint64_t fingerprint(const std::vector<Listener>& on_port);
// Those at whose port other sockets listen now. `all`: the sockets of all ports.
std::vector<Seen> changed(const std::vector<Seen>& seen, const std::vector<Listener>& all);

}  // namespace azora::listeners
