#pragma once
// The part of a client's address that decides its member: all of an IPv4 address, the /64 of an IPv6 address (a host
// changes the rest at will), never the port (each connection has another).
// Threads: any; pure. Fails: never; a text that is not an address counts as it is written.
#include <cstdint>
#include <string_view>

namespace azora::balancer {

std::uint64_t key_hash(std::string_view key);
// "10.0.0.1", "10.0.0.1:80", "2001:db8::1", "fe80::1%eth0", "[::1]", "[::1]:80"; an IPv4 address in
// IPv6 counts as IPv4. An explicit key is taken as it is: key_hash().
std::uint64_t peer_hash(std::string_view address);

}  // namespace azora::balancer
