#pragma once
// What an epoll event of the keeper is about, in its 64 bits: the source, and of a shim the serial.
#include <cstdint>

namespace azora::keeper {

enum class Source : std::uint8_t { signals, listener, orchestrator, candidate, link, shim };

inline constexpr int kSerialBits = 60;

constexpr std::uint64_t tag(Source source, std::uint64_t serial = 0) {
  return static_cast<std::uint64_t>(source) << kSerialBits | serial;
}
constexpr Source source_of(std::uint64_t tag) { return static_cast<Source>(tag >> kSerialBits); }
constexpr std::uint64_t serial_of(std::uint64_t tag) { return tag & ((std::uint64_t{1} << kSerialBits) - 1); }

}  // namespace azora::keeper
