#include "azora/balancer/client_key.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "azora/base/hash.hpp"

namespace azora::balancer {
namespace {

constexpr std::size_t kPrefixBytes = 8;  // /64
constexpr std::array<unsigned char, 12> kMappedV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// Hashes the usual text of the address like a key: an address and a key with its text are the same client.
std::uint64_t hash_of_v4(const unsigned char* bytes) {
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, bytes, text.data(), text.size());
  return key_hash(text.data());
}

std::uint64_t hash_of(const unsigned char* bytes, std::size_t count) {
  return hash_bytes({reinterpret_cast<const char*>(bytes), count});
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Removes brackets and port. A single colon precedes a port; several colons belong to an IPv6 address.
std::string_view host_of(std::string_view address) {
  if (address.starts_with('[')) {
    const std::size_t end = address.find(']');
    if (end == std::string_view::npos) return address;
    const std::string_view rest = address.substr(end + 1);
    const bool fits = rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
    return fits ? address.substr(1, end - 1) : address;
  }
  const std::size_t colon = address.find(':');
  const bool port = colon != std::string_view::npos && is_port(address.substr(colon + 1));
  return port ? address.substr(0, colon) : address;
}

}  // namespace

std::uint64_t key_hash(std::string_view key) { return hash_bytes(key); }

std::uint64_t peer_hash(std::string_view address) {
  std::string_view text = host_of(address);
  text = text.substr(0, text.find('%'));
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) return hash_bytes(address);
  std::memcpy(buffer.data(), text.data(), text.size());
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, buffer.data(), bytes.data()) == 1) return hash_of_v4(bytes.data());
  if (::inet_pton(AF_INET6, buffer.data(), bytes.data()) != 1) return hash_bytes(address);
  if (std::memcmp(bytes.data(), kMappedV4.data(), kMappedV4.size()) == 0) {
    return hash_of_v4(bytes.data() + kMappedV4.size());
  }
  return hash_of(bytes.data(), kPrefixBytes);
}

}  // namespace azora::balancer
