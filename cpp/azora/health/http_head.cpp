#include "azora/health/http_head.hpp"

#include <algorithm>

#include "azora/health/http_text.hpp"

namespace azora::health {

// HTTP/1.x SP 3DIGIT [SP reason]
const char* HttpHead::on_status_line(std::string_view line) {
  if (line.substr(0, 7) != "HTTP/1." || line.size() < 12 || (line[7] != '0' && line[7] != '1') || line[8] != ' ') {
    return "the response is not HTTP/1.x";
  }
  const std::string_view code = line.substr(9, 3);
  if (!std::all_of(code.begin(), code.end(), is_digit) || code[0] == '0' || (line.size() > 12 && line[12] != ' ') ||
      !is_text(line.substr(12))) {
    return "the status line is malformed";
  }
  const bool lenient = lenient_;
  *this = HttpHead{};
  lenient_ = lenient;
  http_1_1_ = line[7] == '1';
  status_ = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  return nullptr;
}

const char* HttpHead::on_field(std::string_view line, Place place) {
  if (line.front() == ' ' || line.front() == '\t') return on_folded(line, place);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return "a header has no name";
  const std::string_view name = trim_blanks(line.substr(0, colon));
  if (!is_token(name)) return "a header name is malformed";
  ++fields_;
  last_frames_ =
      same_word(name, "content-length") || same_word(name, "transfer-encoding") || same_word(name, "connection");
  if (name.size() != colon) {
    if (last_frames_) return "a header that frames the response has a space before its colon";
    lenient_ = true;
  }
  const std::string_view value = trim_blanks(line.substr(colon + 1));
  if (!is_text(value)) return "a header contains control bytes";
  return place == Place::head ? on_known_field(name, value) : nullptr;
}

const char* HttpHead::on_folded(std::string_view line, Place place) {
  if (fields_ == 0) return "a header has no name";
  if (last_frames_ || place == Place::trailer) return "a header that frames the response is folded";
  lenient_ = true;
  return is_text(line) ? nullptr : "a header contains control bytes";
}

const char* HttpHead::on_known_field(std::string_view name, std::string_view value) {
  if (same_word(name, "content-length")) return on_length(value);
  if (same_word(name, "transfer-encoding")) {
    if (chunked_ || !http_1_1_ || !same_word(value, "chunked")) return "the transfer coding is not plain chunked";
    chunked_ = true;
  } else if (same_word(name, "connection")) {
    on_connection(value);
  }
  return nullptr;
}

const char* HttpHead::on_length(std::string_view value) {
  constexpr std::size_t kMaxDigits = 18;
  if (value.empty() || value.size() > kMaxDigits || !std::all_of(value.begin(), value.end(), is_digit)) {
    return value.find(',') != std::string_view::npos ? "Content-Length is a list where one number is expected"
                                                     : "Content-Length is not a number";
  }
  std::uint64_t length = 0;
  for (const char digit : value) length = length * 10 + static_cast<std::uint64_t>(digit - '0');
  if (has_length_ && length != length_) return "Content-Length is given twice with different values";
  lenient_ = lenient_ || has_length_;
  has_length_ = true;
  length_ = length;
  return nullptr;
}

void HttpHead::on_connection(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view option = trim_blanks(value.substr(0, comma));
    if (same_word(option, "close")) asks_close_ = true;
    if (same_word(option, "keep-alive")) asks_keep_alive_ = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

}  // namespace azora::health
