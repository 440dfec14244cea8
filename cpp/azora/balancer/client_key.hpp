#pragma once
// What of a client's address decides its place: all of an IPv4 address, the /64 of an IPv6 one (a
// host changes the rest at will).
// Threads: any; pure. Fails: never; what is no address counts as it is written.
#include <cstdint>
#include <string_view>

namespace azora::balancer {

std::uint64_t key_hash(std::string_view key);
// "10.0.0.1", "2001:db8::1", "fe80::1%eth0", "[::1]"; an IPv4 address in IPv6 counts as IPv4.
std::uint64_t peer_hash(std::string_view address);

}  // namespace azora::balancer
