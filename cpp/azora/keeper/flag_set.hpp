#pragma once
// A set of enumerators in one number. Also compiled into the static program: no library. Threads: the caller's.
#include <cstdint>

namespace azora::keeper {

template <typename Enum>
class FlagSet {
 public:
  constexpr bool has(Enum flag) const { return (bits_ & bit(flag)) != 0; }
  constexpr bool any() const { return bits_ != 0; }
  constexpr void add(Enum flag) { bits_ |= bit(flag); }
  constexpr void remove(Enum flag) { bits_ &= ~bit(flag); }
  constexpr void set(Enum flag, bool on) { on ? add(flag) : remove(flag); }
  // Whether it was in the set, and takes it out.
  constexpr bool take(Enum flag) {
    const bool had = has(flag);
    remove(flag);
    return had;
  }
  constexpr void clear() { bits_ = 0; }

 private:
  static constexpr std::uint32_t bit(Enum flag) { return std::uint32_t{1} << static_cast<unsigned>(flag); }
  std::uint32_t bits_ = 0;
};

}  // namespace azora::keeper
