#pragma once
// Incremental parser of one HTTP/1.x response. Every byte it is fed is hostile: it takes no more than 16 KiB of headers
// (interim responses, chunk lines and trailers included) and 64 KiB of body, and keeps a body only when it may be a
// JSON object of a 2xx answer.
// What common clients read is read, and the connection is not used again: bare LF as the end of a line, a
// Content-Length repeated with the same value, folded fields, a blank before the colon of a field.
// What two parsers could frame differently is refused, and so is what no client reads: both Content-Length and
// Transfer-Encoding, unequal or odd lengths, any coding but `chunked`, a framing field that is folded or has a blank
// before its colon, bare LF in chunk lines, bare CR, NUL and other control bytes, empty or odd names, HTTP/0.9.
// A body beyond its cap is no fault: the status stands, but the connection is not used again.
// Threads: one at a time. Fails: State::broken with problem(), a static text.
#include <cstdint>
#include <string>
#include <string_view>

namespace azora::health {

class HttpResponse {
 public:
  enum class State : std::uint8_t { more, complete, broken };
  static constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
  static constexpr std::size_t kMaxBodyBytes = 64 * 1024;
  static constexpr int kMaxInterim = 8;

  // Ready for the answer to a new request; `to_head`: it was a HEAD, so no body follows.
  void begin(bool to_head);
  // Takes the next bytes of the stream. After `complete` or `broken` it stays so.
  State feed(std::string_view bytes);
  // The peer will send no more.
  State end_of_stream();

  bool started() const { return started_; }  // any byte came
  int status() const { return status_; }     // 0 until a final status line was read
  // Complete, delimited by itself, no wish to close, and not one byte after it.
  bool reusable() const { return state_ == State::complete && !ends_ && !truncated_ && !lenient_ && !excess_; }
  // The peer closes the connection after this answer, or said that it would.
  bool ends_connection() const { return ends_; }
  // The body of a 2xx answer that begins like a JSON object and fits the cap; else empty.
  std::string_view body() const { return keep_body_ && !truncated_ ? std::string_view(body_) : std::string_view(); }
  const char* problem() const { return problem_; }

 private:
  enum class Phase : std::uint8_t {
    status_line, header, sized_body, body_to_end, chunk_line, chunk_data, chunk_end, trailer
  };

  State parse(std::string_view& bytes);
  bool take_line(std::string_view& bytes, std::string_view& line);
  void on_status_line(std::string_view line);
  void on_header(std::string_view line);
  void on_length(std::string_view value);
  void on_known_header(std::string_view name, std::string_view value);
  void on_headers_end();
  void on_chunk_line(std::string_view line);
  void take_body(std::string_view& bytes, std::uint64_t limit);
  void take_connection(std::string_view value);
  void finish() { state_ = State::complete; }
  void fail(const char* problem);

  std::string partial_;  // an unfinished line
  std::string body_;
  const char* problem_ = "";
  std::uint64_t left_ = 0;  // of a sized body or of a chunk
  std::size_t header_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  int status_ = 0;
  int interim_ = 0;
  int header_fields_ = 0;  // of the present head
  State state_ = State::more;
  Phase phase_ = Phase::status_line;
  bool to_head_ = false;
  bool started_ = false;
  bool line_done_ = false;  // partial_ was handed out as a line
  bool http_1_1_ = false;
  bool chunked_ = false;
  bool has_length_ = false;
  bool asks_close_ = false;
  bool asks_keep_alive_ = false;
  bool ends_ = true;        // the peer closes after this answer
  bool lenient_ = false;    // read although it is not as it should be
  bool framing_ = false;    // the last field frames the message
  bool excess_ = false;
  bool keep_body_ = false;
  bool truncated_ = false;
};

}  // namespace azora::health
