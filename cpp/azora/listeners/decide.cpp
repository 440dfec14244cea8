#include "azora/listeners/decide.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace azora::listeners {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr std::uint32_t kLoopback = 0x7f00'0001;
constexpr std::size_t kIpv4Size = 4;
constexpr std::size_t kMappedPrefix = 12;

struct Destination {
  bool ipv6 = false;
  Bytes address{};
};

Destination ipv4(std::uint32_t address) {
  Destination to;
  for (std::size_t i = 0; i < kIpv4Size; ++i) {
    to.address[i] = static_cast<std::uint8_t>(address >> (8 * (kIpv4Size - 1 - i)) & 0xff);
  }
  return to;
}

Destination ipv6_loopback() {
  Destination to{.ipv6 = true};
  to.address.back() = 1;
  return to;
}

// In the order in which a check tries them. A service that listens at all addresses is reached at a loopback address.
std::vector<Destination> destinations(const LocalAddress& address) {
  switch (address.kind) {
    case LocalAddress::Kind::ipv4: return {ipv4(address.ipv4)};
    case LocalAddress::Kind::any_ipv4: return {ipv4(kLoopback)};
    case LocalAddress::Kind::localhost: return {ipv4(kLoopback), ipv6_loopback()};
    case LocalAddress::Kind::ipv6:
    case LocalAddress::Kind::any: return {ipv6_loopback()};
  }
  return {};
}

bool is_zero(const Bytes& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Maps the IPv4 address in its first bytes to ::ffff:a.b.c.d.
Bytes mapped(const Bytes& ipv4_address) {
  Bytes bytes{};
  bytes[kMappedPrefix - 1] = bytes[kMappedPrefix - 2] = 0xff;
  std::copy_n(ipv4_address.begin(), kIpv4Size, bytes.begin() + kMappedPrefix);
  return bytes;
}

// How well the listener fits the destination; 0: not at all.
int fit(const Listener& listener, const Destination& to) {
  constexpr int kBothFamilies = 1, kAll = 2, kMapped = 3, kExact = 4;
  if (to.ipv6) {
    if (!listener.ipv6) return 0;
    return listener.address == to.address ? kExact : is_zero(listener.address) ? kAll : 0;
  }
  if (!listener.ipv6) return listener.address == to.address ? kExact : is_zero(listener.address) ? kAll : 0;
  if (listener.address == mapped(to.address)) return kMapped;
  return is_zero(listener.address) && !listener.only_ipv6 ? kBothFamilies : 0;
}

std::vector<Listener> best(const std::vector<Listener>& all, const Destination& to) {
  int most = 1;
  std::vector<Listener> found;
  for (const Listener& one : all) {
    const int fits = fit(one, to);
    if (fits < most) continue;
    if (fits > most) found.clear();
    most = fits;
    found.push_back(one);
  }
  return found;
}

// Adds each holder only once.
void add_holder(std::string& text, const std::string& holder) {
  if (text.find(holder) != std::string::npos) return;
  text += (text.empty() ? "" : ", ") + holder;
}

}  // namespace

std::string foreign_text(std::uint16_t port, const std::string& holder) {
  return "port " + std::to_string(port) + " is held by " + holder + ", not by this service";
}

Reached reached(const LocalAddress& address, const std::vector<Listener>& on_port) {
  Reached found;
  for (const Destination& to : destinations(address)) {
    std::vector<Listener> there = best(on_port, to);
    if (found.first.empty()) {
      found.first = std::move(there);
      continue;
    }
    for (Listener& one : there) {
      const auto same = [&](const Listener& other) { return other.inode == one.inode; };
      if (std::none_of(found.first.begin(), found.first.end(), same)) found.then.push_back(one);
    }
  }
  return found;
}

Answer decide(const Question& question, const std::vector<Listener>& on_port, Owners& owners) {
  using Whose = Owners::Whose;
  const Reached there = reached(question.address, on_port);
  if (there.first.empty()) return {.kind = Answer::Kind::no_listener};
  std::vector<Listener> others;
  bool ours = false;
  bool unknown = false;
  for (const Listener& one : there.first) {
    const Whose whose = owners.whose(one);
    ours |= whose == Whose::service;
    unknown |= whose == Whose::unknown;
    if (whose == Whose::other) others.push_back(one);
  }
  if (!ours && unknown) {
    return {.kind = Answer::Kind::unverified, .reason = "the sockets of its processes may not be read"};
  }
  if (!ours) return {.kind = Answer::Kind::foreign, .holder = owners.holder(others.front())};
  Answer answer{.kind = Answer::Kind::ours};
  for (const Listener& one : there.then) {
    if (owners.whose(one) == Whose::other) others.push_back(one);
  }
  for (const Listener& one : others) add_holder(answer.beside, owners.holder(one));
  return answer;
}

}  // namespace azora::listeners
