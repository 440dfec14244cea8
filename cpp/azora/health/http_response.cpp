#include "azora/health/http_response.hpp"

#include <algorithm>

#include "azora/health/http_text.hpp"

namespace azora::health {
namespace {

constexpr std::size_t kKeptCapacity = 4096;  // buffers above it are given back between answers

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void reset(std::string& buffer) {
  if (buffer.capacity() > kKeptCapacity) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

}  // namespace

void HttpResponse::begin(bool to_head) {
  std::string partial = std::move(partial_);
  std::string body = std::move(body_);
  *this = HttpResponse{};
  reset(partial);
  reset(body);
  partial_ = std::move(partial);
  body_ = std::move(body);
  to_head_ = to_head;
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
    fail(started_ ? "the connection was closed in the middle of the answer"
                  : "the connection was closed without an answer");
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
          on_header(line);
        } else if (phase_ == Phase::header) {
          on_headers_end();
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
        if (!line.empty()) fail("a chunk is longer than it says");
        phase_ = Phase::chunk_line;
      }
      break;
  }
  return state_;
}

// True when a whole line was taken; `line` is it without CR LF and lives until the next call.
bool HttpResponse::take_line(std::string_view& bytes, std::string_view& line) {
  if (line_done_) {
    reset(partial_);
    line_done_ = false;
  }
  const std::size_t end = bytes.find('\n');
  const std::size_t taken = end == std::string_view::npos ? bytes.size() : end + 1;
  header_bytes_ += taken;
  if (header_bytes_ > kMaxHeaderBytes) {
    fail(phase_ == Phase::chunk_line ? "chunk lines beyond 16 KiB" : "headers beyond 16 KiB");
    return false;
  }
  const std::string_view piece = bytes.substr(0, taken);
  bytes.remove_prefix(taken);
  if (end == std::string_view::npos || !partial_.empty()) {
    partial_.append(piece);
    // What does not even begin like an answer is not waited for.
    constexpr std::string_view kBegin = "HTTP/1.";
    const std::size_t seen = std::min(partial_.size(), kBegin.size());
    if (phase_ == Phase::status_line && partial_.compare(0, seen, kBegin.substr(0, seen)) != 0) {
      fail("the answer is not HTTP/1.x");
      return false;
    }
    if (end == std::string_view::npos) return false;
    line = partial_;
    line_done_ = true;
  } else {
    line = piece;
  }
  line.remove_suffix(1);
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

// HTTP/1.x SP 3DIGIT [SP reason]
void HttpResponse::on_status_line(std::string_view line) {
  if (line.substr(0, 7) != "HTTP/1." || line.size() < 12 || (line[7] != '0' && line[7] != '1') || line[8] != ' ') {
    return fail("the answer is not HTTP/1.x");
  }
  const std::string_view code = line.substr(9, 3);
  if (!std::all_of(code.begin(), code.end(), is_digit) || code[0] == '0' || (line.size() > 12 && line[12] != ' ') ||
      !is_text(line.substr(12))) {
    return fail("the status line is malformed");
  }
  header_fields_ = 0;
  http_1_1_ = line[7] == '1';
  status_ = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  has_length_ = chunked_ = asks_close_ = asks_keep_alive_ = framing_ = false;
  left_ = 0;
  phase_ = Phase::header;
}

void HttpResponse::on_header(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') {
    if (header_fields_ == 0) return fail("a header has no name");
    if (framing_ || phase_ == Phase::trailer) return fail("a header that frames the answer is folded");
    lenient_ = true;
    if (!is_text(line)) fail("a header holds control bytes");
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return fail("a header has no name");
  const std::string_view name = trim_blanks(line.substr(0, colon));
  if (!is_token(name)) return fail("a header name is malformed");
  ++header_fields_;
  framing_ = same_word(name, "content-length") || same_word(name, "transfer-encoding") || same_word(name, "connection");
  if (name.size() != colon) {
    if (framing_) return fail("a header that frames the answer has a blank before its colon");
    lenient_ = true;
  }
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (!is_text(value)) return fail("a header holds control bytes");
  if (phase_ == Phase::header) on_known_header(name, value);
}

void HttpResponse::on_known_header(std::string_view name, std::string_view value) {
  if (same_word(name, "content-length")) {
    on_length(value);
  } else if (same_word(name, "transfer-encoding")) {
    if (chunked_ || !http_1_1_ || !same_word(value, "chunked")) {
      return fail("the transfer coding is not plain chunked");
    }
    chunked_ = true;
  } else if (same_word(name, "connection")) {
    take_connection(value);
  }
}

void HttpResponse::on_length(std::string_view value) {
  constexpr std::size_t kMaxDigits = 18;
  if (value.empty() || value.size() > kMaxDigits || !std::all_of(value.begin(), value.end(), is_digit)) {
    return fail(value.find(',') != std::string_view::npos ? "Content-Length is a list where one number is expected"
                                                          : "Content-Length is not a number");
  }
  std::uint64_t length = 0;
  for (const char digit : value) length = length * 10 + static_cast<std::uint64_t>(digit - '0');
  if (has_length_ && length != left_) return fail("Content-Length is given twice, and differently");
  lenient_ = lenient_ || has_length_;
  has_length_ = true;
  left_ = length;
}

void HttpResponse::take_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim_blanks(value.substr(0, comma));
    if (same_word(option, "close")) asks_close_ = true;
    if (same_word(option, "keep-alive")) asks_keep_alive_ = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

void HttpResponse::on_headers_end() {
  if (has_length_ && chunked_) return fail("both Content-Length and Transfer-Encoding");
  if (status_ < 200) {
    if (status_ == 101) return fail("an upgrade that was not asked for");
    if (++interim_ > kMaxInterim) return fail("too many interim answers");
    status_ = 0;
    phase_ = Phase::status_line;
    return;
  }
  ends_ = asks_close_ || !(http_1_1_ || asks_keep_alive_);
  keep_body_ = status_ <= 299;
  if (to_head_ || status_ == 204 || status_ == 304) return finish();
  if (chunked_) {
    phase_ = Phase::chunk_line;
  } else if (has_length_) {
    phase_ = Phase::sized_body;
    if (left_ == 0) finish();
  } else {
    ends_ = true;
    phase_ = Phase::body_to_end;
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
  body_bytes_ += piece.size();
  if (body_bytes_ > kMaxBodyBytes) {
    truncated_ = true;
    return finish();
  }
  if (!keep_body_) return;
  if (body_.empty()) {
    const std::size_t begin = piece.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return;
    keep_body_ = piece[begin] == '{';
    if (keep_body_) body_.assign(piece.substr(begin));
  } else {
    body_.append(piece);
  }
}

void HttpResponse::fail(const char* problem) {
  state_ = State::broken;
  problem_ = problem;
}

}  // namespace azora::health
