#pragma once
// Incremental parser of one HTTP/1.x response. Every byte it is fed is hostile: it takes no more than 16 KiB of headers
// (interim responses, chunk lines and trailers included) and 64 KiB of body, and keeps a body only when it may be a
// JSON object of a 2xx answer. Lines (http_lines.hpp), head (http_head.hpp) and body (net/answer_body.hpp) are parts
// of their own; this class knows their order, and chunks.
// Faults that common clients accept are accepted, but the connection is not used again: bare LF as the end of a line,
// a Content-Length repeated with the same value, folded fields, a blank before the colon of a field.
// What two parsers could frame differently is refused, and so is what no client reads: both Content-Length and
// Transfer-Encoding, unequal or odd lengths, any coding but `chunked`, a framing field that is folded or has a blank
// before its colon, bare LF in chunk lines, bare CR, NUL and other control bytes, empty or odd names, HTTP/0.9.
// A body beyond its cap is no fault: the status stands, but the connection is not used again.
// Threads: one at a time. Fails: State::broken with problem(), a static text.
#include <cstdint>
#include <string_view>

#include "azora/health/http_head.hpp"
#include "azora/health/http_lines.hpp"
#include "azora/net/answer_body.hpp"

namespace azora::health {

class HttpResponse {
 public:
  enum class State : std::uint8_t { more, complete, broken };
  static constexpr std::size_t kMaxHeaderBytes = HttpLines::kMaxBytes;
  static constexpr std::size_t kMaxBodyBytes = net::AnswerBody::kMaxBytes;
  static constexpr int kMaxInterim = 8;

  // Ready for the answer to a new request; `to_head`: it was a HEAD, so no body follows.
  void begin(bool to_head);
  // Takes the next bytes of the stream. After `complete` or `broken` it stays so.
  State feed(std::string_view bytes);
  // The peer will send no more.
  State end_of_stream();

  bool started() const { return started_; }  // any byte came
  // 0 until a final status line was read.
  int status() const { return has_status_ ? head_.status() : 0; }
  // The answer is complete, shows its own end, does not ask to close, and no byte came after it.
  bool reusable() const {
    return state_ == State::complete && !ends_ && !body_.truncated() && !lenient_ && !head_.lenient() && !excess_;
  }
  // The peer closes the connection after this answer, or said that it would.
  bool ends_connection() const { return ends_; }
  // The body of a 2xx answer that begins like a JSON object and fits the cap; else empty.
  std::string_view body() const { return body_.kept(); }
  const char* problem() const { return problem_; }

 private:
  enum class Phase : std::uint8_t {
    status_line, header, sized_body, body_to_end, chunk_line, chunk_data, chunk_end, trailer
  };

  State parse(std::string_view& bytes);
  bool take_line(std::string_view& bytes, std::string_view& line);
  void on_status_line(std::string_view line);
  void on_field(std::string_view line, HttpHead::Place place);
  void on_head_end();
  void on_chunk_line(std::string_view line);
  void take_body(std::string_view& bytes, std::uint64_t limit);
  void finish() { state_ = State::complete; }
  void fail(const char* problem);

  HttpLines lines_;
  HttpHead head_;
  net::AnswerBody body_;
  const char* problem_ = "";
  std::uint64_t left_ = 0;  // of a sized body or of a chunk
  int interim_ = 0;
  State state_ = State::more;
  Phase phase_ = Phase::status_line;
  bool to_head_ = false;
  bool started_ = false;
  bool has_status_ = false;  // of the final answer
  bool ends_ = true;         // the peer closes after this answer
  bool lenient_ = false;     // a line ended without CR
  bool excess_ = false;
};

}  // namespace azora::health
