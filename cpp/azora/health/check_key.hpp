#pragma once
// The name of a check: its serial, given once and never again, and a slot, a small number under which tables find it
// at once. A slot is given again when its check has gone; the serial shows whose it is.
// Threads: any (values).
#include <cstdint>

namespace azora::health {

using Serial = std::uint64_t;  // 0: no check

struct CheckKey {
  using Slot = std::uint32_t;
  static constexpr Slot kNoSlot = UINT32_MAX;

  Serial serial = 0;
  Slot slot = kNoSlot;
  friend bool operator==(CheckKey, CheckKey) = default;
};

}  // namespace azora::health
