#pragma once
// A short string as three words, which are looked up and compared without a call. Threads: a value. Fails: never.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace azora::balancer {

class NameKey {
 public:
  explicit NameKey(std::string_view text) : size_(text.size()) {
    const char* const end = text.data() + text.size();
    if (size_ >= 8) {
      head_ = read<std::uint64_t>(text.data());
      tail_ = read<std::uint64_t>(end - 8);
    } else if (size_ >= 4) {
      head_ = read<std::uint32_t>(text.data());
      tail_ = read<std::uint32_t>(end - 4);
    } else if (size_ > 0) {
      head_ = static_cast<unsigned char>(text.front());
      tail_ = static_cast<std::uint64_t>(static_cast<unsigned char>(text[size_ / 2])) << 8 |
              static_cast<unsigned char>(text.back());
    }
  }
  // Equal to the key of no string.
  static NameKey none() {
    NameKey key{std::string_view()};
    key.size_ = SIZE_MAX;
    return key;
  }

  // Whether the key holds the whole string: equal keys of such strings mean equal strings.
  bool is_whole() const { return size_ <= 16; }
  friend bool operator==(const NameKey&, const NameKey&) = default;

  // A number below `count`, which is a power of two.
  std::size_t bucket(std::size_t count) const {
    const std::uint64_t mixed = (head_ ^ std::rotl(tail_, 29) ^ size_) * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::size_t>(mixed >> 40) & (count - 1);
  }

 private:
  template <typename Word>
  static Word read(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof word);
    return word;
  }

  std::size_t size_;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
};

}  // namespace azora::balancer
