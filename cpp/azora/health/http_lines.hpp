#pragma once
// The lines of an HTTP answer, cut out of a stream that comes in pieces. A line that came in one piece is handed out
// where it lies; only an unfinished one is copied. All lines of an answer together are bounded: head, interim heads,
// chunk lines and trailers.
// Threads: one at a time. Ownership: the unfinished line; what take() hands out lives until the next call.
// Fails: Taken::too_long.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace azora::health {

class HttpLines {
 public:
  enum class Taken : std::uint8_t { part, line, too_long };
  static constexpr std::size_t kMaxBytes = 16 * 1024;

  void begin() {
    drop_unfinished();
    handed_out_ = false;
    bytes_ = 0;
  }

  // Takes the next line off `bytes`, or all of it when the line does not end in it. `line` is without its line feed.
  Taken take(std::string_view& bytes, std::string_view& line) {
    if (handed_out_) {
      drop_unfinished();
      handed_out_ = false;
    }
    const std::size_t end = bytes.find('\n');
    const bool ends = end != std::string_view::npos;
    const std::string_view piece = bytes.substr(0, ends ? end + 1 : bytes.size());
    bytes_ += piece.size();
    if (bytes_ > kMaxBytes) return Taken::too_long;
    bytes.remove_prefix(piece.size());
    if (ends && unfinished_.empty()) {
      line = piece;
    } else {
      unfinished_.append(piece);
      if (!ends) return Taken::part;
      line = unfinished_;
      handed_out_ = true;
    }
    line.remove_suffix(1);
    return Taken::line;
  }
  // What there is of a line whose end has not come.
  std::string_view unfinished() const { return unfinished_; }

 private:
  static constexpr std::size_t kKeptCapacity = 4096;

  void drop_unfinished() {
    if (unfinished_.capacity() > kKeptCapacity) {
      std::string().swap(unfinished_);
    } else {
      unfinished_.clear();
    }
  }

  std::string unfinished_;
  std::size_t bytes_ = 0;    // of all lines so far
  bool handed_out_ = false;  // unfinished_ was completed and given out
};

}  // namespace azora::health
