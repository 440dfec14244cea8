#include "azora/net/https_head.hpp"

#include <algorithm>
#include <cstdlib>

namespace azora::net {
namespace {

constexpr std::size_t kMaxBytes = 16 * 1024;
constexpr int kMaxInterim = 8;

bool starts_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
         });
}

}  // namespace

const char* HttpsHead::take(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > kMaxBytes) return "the headers are larger than 16 KiB";
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  } else {
    irregular_ = true;
  }
  if (line.empty()) {
    expect_status_ = true;
    return nullptr;
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
  if (std::any_of(line.begin(), line.end(), control)) return "a header contains control bytes";
  if (line.substr(0, 5) != "HTTP/") return on_field(line);
  return expect_status_ ? on_status_line(line) : "a header name is malformed";
}

// A field that frames the answer must have one meaning only; other fields may be as loose as clients take them.
const char* HttpsHead::on_field(std::string_view text) {
  if (text.front() == ' ' || text.front() == '\t') {
    irregular_ = true;
    return last_frames_ ? "a header that frames the response is folded" : nullptr;
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  std::string_view name = text.substr(0, colon);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  const bool length = name.size() == 14 && starts_ignoring_case(name, "content-length");
  const bool coding = name.size() == 17 && starts_ignoring_case(name, "transfer-encoding");
  last_frames_ = length || coding;
  if (name.size() != colon) {
    if (last_frames_) return "a header that frames the response has a space before its colon";
    irregular_ = true;
  }
  if (length) {
    const std::string value(text.substr(colon));
    if (!length_.empty() && value != length_) return "Content-Length is given twice with different values";
    irregular_ = irregular_ || !length_.empty();
    length_ = value;
  }
  has_coding_ = has_coding_ || coding;
  return !length_.empty() && has_coding_ ? "both Content-Length and Transfer-Encoding are given" : nullptr;
}

const char* HttpsHead::on_status_line(std::string_view text) {
  length_.clear();
  has_coding_ = expect_status_ = last_frames_ = false;
  if (++answers_ > kMaxInterim + 1) return "too many interim responses";
  const std::size_t code = text.find(' ');
  status_ = code == std::string_view::npos ? 0 : std::atoi(text.data() + code + 1);
  return nullptr;
}

}  // namespace azora::net
