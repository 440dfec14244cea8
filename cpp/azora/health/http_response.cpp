#include "azora/health/http_response.hpp"

#include <algorithm>

#include "azora/health/http_text.hpp"

namespace azora::health {
namespace {

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void HttpResponse::begin(bool to_head) {
  lines_.begin();
  head_ = HttpHead{};
  body_.begin();
  problem_ = "";
  left_ = 0;
  interim_ = 0;
  state_ = State::more;
  phase_ = Phase::status_line;
  to_head_ = to_head;
  started_ = has_status_ = lenient_ = excess_ = false;
  ends_ = true;
}

HttpResponse::State HttpResponse::feed(std::string_view bytes) {
  if (!bytes.empty()) started_ = true;
  while (state_ == State::more && !bytes.empty()) parse(bytes);
  if (state_ == State::complete && !bytes.empty()) excess_ = true;
  return state_;
}

HttpResponse::State HttpResponse::end_of_stream() {
  if (state_ != State::more) return state_;
  if (phase_ == Phase::body_to_end) {
    finish();
  } else {
    fail(started_ ? "the connection was closed in the middle of the response"
                  : "the connection was closed without a response");
  }
  return state_;
}

HttpResponse::State HttpResponse::parse(std::string_view& bytes) {
  std::string_view line;
  switch (phase_) {
    case Phase::status_line:
      if (take_line(bytes, line)) on_status_line(line);
      break;
    case Phase::header:
    case Phase::trailer:
      if (take_line(bytes, line)) {
        if (!line.empty()) {
          on_field(line, phase_ == Phase::header ? HttpHead::Place::head : HttpHead::Place::trailer);
        } else if (phase_ == Phase::header) {
          on_head_end();
        } else {
          finish();
        }
      }
      break;
    case Phase::sized_body:
      take_body(bytes, left_);
      if (left_ == 0 && state_ == State::more) finish();
      break;
    case Phase::body_to_end: take_body(bytes, UINT64_MAX); break;
    case Phase::chunk_line:
      if (take_line(bytes, line)) on_chunk_line(line);
      break;
    case Phase::chunk_data:
      take_body(bytes, left_);
      if (left_ == 0) phase_ = Phase::chunk_end;
      break;
    case Phase::chunk_end:
      if (take_line(bytes, line)) {
        if (!line.empty()) fail("a chunk is longer than its stated size");
        phase_ = Phase::chunk_line;
      }
      break;
  }
  return state_;
}

// True when a whole line was taken; `line` is that line without CR LF and lives until the next call.
bool HttpResponse::take_line(std::string_view& bytes, std::string_view& line) {
  switch (lines_.take(bytes, line)) {
    case HttpLines::Taken::line: break;
    case HttpLines::Taken::too_long:
      fail(phase_ == Phase::chunk_line ? "the chunk lines are larger than 16 KiB"
                                       : "the headers are larger than 16 KiB");
      return false;
    case HttpLines::Taken::part: {
      // Bytes that do not even begin like an answer fail at once.
      constexpr std::string_view kBegin = "HTTP/1.";
      const std::string_view begin = lines_.unfinished().substr(0, kBegin.size());
      if (phase_ == Phase::status_line && begin != kBegin.substr(0, begin.size())) fail("the response is not HTTP/1.x");
      return false;
    }
  }
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  } else if (phase_ == Phase::chunk_line || phase_ == Phase::chunk_end || phase_ == Phase::trailer) {
    fail("a line of a chunk ends without CR LF");
    return false;
  } else {
    lenient_ = true;
  }
  return true;
}

void HttpResponse::on_status_line(std::string_view line) {
  if (const char* problem = head_.on_status_line(line)) return fail(problem);
  has_status_ = true;
  phase_ = Phase::header;
}

void HttpResponse::on_field(std::string_view line, HttpHead::Place place) {
  if (const char* problem = head_.on_field(line, place)) fail(problem);
}

void HttpResponse::on_head_end() {
  if (const char* problem = head_.on_end()) return fail(problem);
  if (head_.is_interim()) {
    if (head_.status() == 101) return fail("an upgrade that was not requested");
    if (++interim_ > kMaxInterim) return fail("too many interim responses");
    has_status_ = false;
    phase_ = Phase::status_line;
    return;
  }
  ends_ = head_.ends_connection();
  body_.keep(head_.is_success());
  if (to_head_ || head_.has_no_body()) return finish();
  switch (head_.body()) {
    case HttpHead::Body::chunked: phase_ = Phase::chunk_line; break;
    case HttpHead::Body::sized:
      phase_ = Phase::sized_body;
      left_ = head_.length();
      if (left_ == 0) finish();
      break;
    case HttpHead::Body::to_end:
      ends_ = true;
      phase_ = Phase::body_to_end;
      break;
  }
}

void HttpResponse::on_chunk_line(std::string_view line) {
  constexpr std::size_t kMaxDigits = 8;
  std::size_t digits = 0;
  left_ = 0;
  while (digits < line.size() && hex_value(line[digits]) >= 0) {
    if (digits == kMaxDigits) return fail("a chunk size is malformed");
    left_ = left_ * 16 + static_cast<std::uint64_t>(hex_value(line[digits++]));
  }
  const std::string_view rest = trim_blanks(line.substr(digits));
  if (digits == 0 || (!rest.empty() && rest.front() != ';') || !is_text(rest)) {
    return fail("a chunk size is malformed");
  }
  phase_ = left_ == 0 ? Phase::trailer : Phase::chunk_data;
}

void HttpResponse::take_body(std::string_view& bytes, std::uint64_t limit) {
  const std::string_view piece = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), limit)));
  bytes.remove_prefix(piece.size());
  left_ -= phase_ == Phase::body_to_end ? 0 : piece.size();
  if (!body_.take(piece)) finish();
}

void HttpResponse::fail(const char* problem) {
  state_ = State::broken;
  problem_ = problem;
}

}  // namespace azora::health
