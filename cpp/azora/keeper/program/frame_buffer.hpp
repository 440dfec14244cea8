#pragma once
// The one frame that is held at a time. Threads: the program has one.
#include <cstdint>

#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

inline constexpr std::size_t kLargestPage = 64 * 1024;  // of the machines we run on
static_assert(kMaxFrame % kLargestPage == 0);           // so that no page of it holds anything else

alignas(kLargestPage) inline std::uint8_t g_frame[kMaxFrame];

// After a large frame: gives its pages back. What was read of it must not be used then.
inline void forget_frame(long size) {
  constexpr long kWorthIt = 4096;
  if (size > kWorthIt) sys::discard(g_frame, sizeof g_frame);
}

}  // namespace azora::keeper
