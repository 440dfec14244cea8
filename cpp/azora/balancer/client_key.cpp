#include "azora/balancer/client_key.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "azora/base/hash.hpp"

namespace azora::balancer {
namespace {

constexpr std::size_t kPrefixBytes = 8;  // /64
constexpr std::array<unsigned char, 12> kMappedV4 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::uint64_t hash_of(const unsigned char* bytes, std::size_t count) {
  return hash_bytes({reinterpret_cast<const char*>(bytes), count});
}

}  // namespace

std::uint64_t key_hash(std::string_view key) { return hash_bytes(key); }

std::uint64_t peer_hash(std::string_view address) {
  std::string_view text = address;
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  text = text.substr(0, text.find('%'));
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.size() >= buffer.size()) return hash_bytes(address);
  std::memcpy(buffer.data(), text.data(), text.size());
  std::array<unsigned char, 16> bytes{};
  if (::inet_pton(AF_INET, buffer.data(), bytes.data()) == 1) return hash_of(bytes.data(), 4);
  if (::inet_pton(AF_INET6, buffer.data(), bytes.data()) != 1) return hash_bytes(address);
  if (std::memcmp(bytes.data(), kMappedV4.data(), kMappedV4.size()) == 0) {
    return hash_of(bytes.data() + kMappedV4.size(), 4);
  }
  return hash_of(bytes.data(), kPrefixBytes);
}

}  // namespace azora::balancer
