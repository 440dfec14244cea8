#pragma once
// Strings and numbers without a C library. Threads: the program has one. Fails: a Path that would be
// too long stays empty, which no call accepts.
#include <cstddef>
#include <cstdint>

namespace azora::keeper {

inline std::size_t size_of(const char* text) {
  std::size_t size = 0;
  while (text[size] != 0) ++size;
  return size;
}

inline bool starts_with(const char* text, const char* start) {
  for (; *start != 0; ++text, ++start) {
    if (*text != *start) return false;
  }
  return true;
}

inline bool equal(const char* a, const char* b) {
  return starts_with(a, b) && size_of(a) == size_of(b);
}

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The digits at the start of `text`; *end, when given, is where they end.
inline std::uint64_t to_number(const char* text, const char** end = nullptr) {
  std::uint64_t value = 0;
  for (; is_digit(*text); ++text) value = value * 10 + static_cast<std::uint64_t>(*text - '0');
  if (end != nullptr) *end = text;
  return value;
}

// A whole name that is a number, such as a folder of /proc. 0: it is not a number.
inline std::uint64_t number_or_zero(const char* text) {
  const char* end = text;
  const std::uint64_t value = to_number(text, &end);
  return end != text && *end == 0 ? value : 0;
}

// A path put together from texts and numbers.
class Path {
 public:
  static constexpr std::size_t kRoom = 512;
  Path() { text_[0] = 0; }
  template <typename... Parts>
  explicit Path(Parts... parts) {
    text_[0] = 0;
    (add(parts), ...);
  }
  Path& add(const char* part) {
    for (; *part != 0; ++part) put(*part);
    return *this;
  }
  Path& add(std::uint64_t number) {
    char digits[20];
    int count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number > 0);
    while (count > 0) put(digits[--count]);
    return *this;
  }
  Path& add(int number) { return add(static_cast<std::uint64_t>(number)); }
  void remove_last_part() {
    while (size_ > 0 && text_[size_ - 1] != '/') --size_;
    if (size_ > 0) --size_;
    text_[size_] = 0;
  }
  const char* c_str() const { return full_ ? "" : text_; }
  std::size_t size() const { return size_; }

 private:
  void put(char c) {
    if (size_ + 1 >= kRoom) {
      full_ = true;
      return;
    }
    text_[size_++] = c;
    text_[size_] = 0;
  }
  char text_[kRoom];
  std::size_t size_ = 0;
  bool full_ = false;
};

}  // namespace azora::keeper
