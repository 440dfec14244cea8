#pragma once
// The part of an HTTP answer's body that we read: at most 64 KiB. It is kept only when it may be the JSON object of a
// good answer. A body beyond the cap is no fault of the answer, but nothing more of it is read.
// Threads: one at a time. Ownership: a buffer that is used again for the next answer, unless it had to grow large.
// Fails: take() false when the body goes beyond the cap.
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace azora::net {

class AnswerBody {
 public:
  static constexpr std::size_t kMaxBytes = 64 * 1024;
  static constexpr std::size_t kKeptCapacity = 4096;  // a buffer above it is given back between answers

  // Ready for the body of a new answer, which is not kept until keep() says so.
  void begin() {
    if (text_.capacity() > kKeptCapacity) {
      std::string().swap(text_);
    } else {
      text_.clear();
    }
    bytes_ = 0;
    keeps_ = truncated_ = false;
  }
  // Whether the body is worth keeping, as the answer's head says. Does nothing after the first byte of the body.
  void keep(bool wanted) {
    if (bytes_ == 0) keeps_ = wanted;
  }

  bool take(std::string_view piece) {
    bytes_ += piece.size();
    if (bytes_ > kMaxBytes) {
      truncated_ = true;
      return false;
    }
    if (!keeps_) return true;
    if (text_.empty()) {
      const std::size_t begin = piece.find_first_not_of(" \t\r\n");
      if (begin == std::string_view::npos) return true;
      keeps_ = piece[begin] == '{';
      if (keeps_) text_.assign(piece.substr(begin));
    } else {
      text_.append(piece);
    }
    return true;
  }

  bool truncated() const { return truncated_; }
  // Empty when it is not worth keeping or went beyond the cap.
  std::string_view kept() const { return keeps_ && !truncated_ ? std::string_view(text_) : std::string_view(); }
  // Moves the kept body out; afterwards neither a body nor a buffer is kept.
  std::string release() {
    std::string text = kept().empty() ? std::string() : std::move(text_);
    text_ = {};
    return text;
  }

 private:
  std::string text_;
  std::size_t bytes_ = 0;  // all that came, kept or not
  bool keeps_ = false;
  bool truncated_ = false;
};

}  // namespace azora::net
