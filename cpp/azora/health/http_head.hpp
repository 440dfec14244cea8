#pragma once
// The head of an HTTP/1.x answer: its status line and fields, and what follows from them for the body and for the
// connection. An answer may have several, the interim ones (1xx) first; each status line begins a new one.
// What two parsers could frame differently is refused. A fault that common clients accept makes the answer lenient().
// Threads: one at a time. Fails: on_status_line(), on_field() and on_end() with a static text; null: all is well.
#include <cstdint>
#include <string_view>

namespace azora::health {

class HttpHead {
 public:
  enum class Body : std::uint8_t { sized, chunked, to_end };
  enum class Place : std::uint8_t { head, trailer };  // fields of a trailer do not count for the framing

  // Lines are without their ends.
  const char* on_status_line(std::string_view line);
  const char* on_field(std::string_view line, Place place);
  // After the last field.
  const char* on_end() const {
    return has_length_ && chunked_ ? "both Content-Length and Transfer-Encoding are given" : nullptr;
  }

  int status() const { return status_; }
  bool is_interim() const { return status_ < 200; }
  bool is_success() const { return status_ >= 200 && status_ <= 299; }
  // Answers of this status have no body, whatever the fields say.
  bool has_no_body() const { return status_ == 204 || status_ == 304; }
  Body body() const { return chunked_ ? Body::chunked : has_length_ ? Body::sized : Body::to_end; }
  std::uint64_t length() const { return length_; }  // of a sized body
  // The peer closes the connection after the answer, or said that it would.
  bool ends_connection() const { return asks_close_ || !(http_1_1_ || asks_keep_alive_); }
  // Something in this head, or in one before it, was read although it breaks a rule.
  bool lenient() const { return lenient_; }

 private:
  const char* on_folded(std::string_view line, Place place);
  const char* on_known_field(std::string_view name, std::string_view value);
  const char* on_length(std::string_view value);
  void on_connection(std::string_view value);

  int status_ = 0;
  int fields_ = 0;
  std::uint64_t length_ = 0;
  bool http_1_1_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  bool asks_close_ = false;
  bool asks_keep_alive_ = false;
  bool last_frames_ = false;  // the last field frames the answer, so it must not be folded
  bool lenient_ = false;
};

}  // namespace azora::health
