#include "azora/listeners/change.hpp"

#include <unordered_map>

#include "azora/base/hash.hpp"

namespace azora::listeners {
namespace {

// Of one socket. The sum of several does not depend on their order.
std::uint64_t mark(const Listener& one) {
  std::uint64_t words[2] = {};
  for (std::size_t i = 0; i < one.address.size(); ++i) {
    words[i / sizeof words[0]] = words[i / sizeof words[0]] << 8 | one.address[i];
  }
  return mix64(mix64(mix64(one.inode ^ (one.ipv6 ? std::uint64_t{1} << 63 : 0)) ^ words[0]) ^ words[1]);
}

}  // namespace

std::uint64_t fingerprint(const std::vector<Listener>& on_port) {
  std::uint64_t sum = 0;
  for (const Listener& one : on_port) sum += mark(one);
  return sum;
}

std::vector<Seen> changed(const std::vector<Seen>& seen, const std::vector<Listener>& all) {
  std::unordered_map<std::uint16_t, std::uint64_t> sums;
  for (const Listener& one : all) sums[one.port] += mark(one);
  std::vector<Seen> others;
  for (const Seen& one : seen) {
    const auto now = sums.find(one.port);
    if ((now == sums.end() ? 0 : now->second) != one.sockets) others.push_back(one);
  }
  return others;
}

}  // namespace azora::listeners
