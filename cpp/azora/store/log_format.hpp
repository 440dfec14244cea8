#pragma once
// The bytes of SQLite's write-ahead log: a head, and frames of one page each, whose checksums form a chain.
// Threads: any; pure functions of their arguments. Ownership: borrows the bytes. Fails: of() with nullopt.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace azora::store {

using Checksum = std::array<std::uint32_t, 2>;

inline std::uint32_t big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}
inline std::uint32_t little_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[3]} << 24 | std::uint32_t{bytes[2]} << 16 | std::uint32_t{bytes[1]} << 8 | bytes[0];
}

// The format is that of sqlite.org/fileformat2.html, section 4. All numbers are big-endian, except that checksums add
// up words of the byte order that the magic number tells.
class LogFormat {
 public:
  static constexpr std::size_t kHead = 32;
  static constexpr std::size_t kFrameHead = 24;

  // nullopt: this is no head of a log.
  static std::optional<LogFormat> of(const unsigned char* head) {
    LogFormat format;
    const std::uint32_t magic = big_endian(head);
    if ((magic & ~1U) != 0x377f0682) return std::nullopt;
    format.big_endian_ = (magic & 1U) != 0;
    format.page_ = big_endian(head + 8);
    const bool fits = format.page_ >= 512 && format.page_ <= 65'536 && (format.page_ & (format.page_ - 1)) == 0;
    std::copy(head + 16, head + 24, format.salt_.begin());
    format.first_ = {0, 0};
    format.add(format.first_, head, 24);
    if (!fits || format.first_ != Checksum{big_endian(head + 24), big_endian(head + 28)}) return std::nullopt;
    return format;
  }

  // That of a log whose head is lost, by its first frame.
  static LogFormat like(const unsigned char* frame, std::size_t page) {
    LogFormat format;
    format.page_ = page;
    std::copy(frame + 8, frame + 16, format.salt_.begin());
    return format;
  }

  std::size_t frame_size() const { return kFrameHead + page_; }
  const Checksum& first() const { return first_; }
  // It was written after the log began anew for the last time; else it is a remnant that means nothing.
  bool is_of_this_log(const unsigned char* frame) const { return std::equal(salt_.begin(), salt_.end(), frame + 8); }
  bool is_commit(const unsigned char* frame) const { return big_endian(frame + 4) != 0; }
  Checksum stored(const unsigned char* frame) const { return {big_endian(frame + 16), big_endian(frame + 20)}; }
  // Checksums are cumulative: that of a frame begins with the one of the frame before it.
  Checksum computed(Checksum before, const unsigned char* frame) const {
    add(before, frame, 8);
    add(before, frame + kFrameHead, page_);
    return before;
  }

 private:
  void add(Checksum& sum, const unsigned char* bytes, std::size_t size) const {
    const auto word = [this](const unsigned char* at) { return big_endian_ ? big_endian(at) : little_endian(at); };
    for (std::size_t i = 0; i < size; i += 8) {
      sum[0] += word(bytes + i) + sum[1];
      sum[1] += word(bytes + i + 4) + sum[0];
    }
  }

  bool big_endian_ = false;
  std::size_t page_ = 0;
  std::array<unsigned char, 8> salt_{};
  Checksum first_{};
};

}  // namespace azora::store
