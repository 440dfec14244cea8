#include "azora/model/json_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "azora/model/json_writer.hpp"
#include "azora/model/utf8.hpp"

namespace azora {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Recursive descent; the depth limit bounds the recursion. Every method returns false after fail().
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Json> read() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = begin_ = 3;
    Json value;
    skip_space();
    if (at_ == text_.size()) {
      fail("the text is empty");
    } else if (read_value(value)) {
      skip_space();
      if (at_ != text_.size()) fail("expected the end, found " + found());
    }
    if (!problem_.empty()) return Error{ErrorCode::invalid_json, place() + problem_, {}};
    return value;
  }

 private:
  bool fail(std::string problem) { return fail_at(at_, std::move(problem)); }
  bool fail_at(std::size_t where, std::string problem) {
    problem_ = std::move(problem);
    problem_at_ = where;
    return false;
  }

  std::string place() const {
    const std::string_view before = text_.substr(begin_, problem_at_ - begin_);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n');
    const std::size_t column =
        line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
    return "line " + std::to_string(lines + 1) + ", column " + std::to_string(column + 1) + ": ";
  }

  std::string found() const {
    if (at_ >= text_.size()) return "the end of the text";
    const std::size_t length = utf8_length(text_.substr(at_));
    if (length == 0) return "a byte that is not UTF-8";
    std::string quoted;
    append_json_string(quoted, text_.substr(at_, length));
    return quoted;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }

  bool read_value(Json& value) {
    if (at_ >= text_.size()) return fail("expected a value, found the end of the text");
    switch (text_[at_]) {
      case '{': return read_object(value);
      case '[': return read_array(value);
      case '"': value.kind = Json::Kind::string; return read_string(value.text);
      case 't': value.boolean = true; return read_word("true", Json::Kind::boolean, value);
      case 'f': return read_word("false", Json::Kind::boolean, value);
      case 'n': return read_word("null", Json::Kind::null, value);
      default: break;
    }
    if (text_[at_] == '-' || is_digit(text_[at_])) return read_number(value);
    return fail("expected a value, found " + found());
  }

  bool read_word(std::string_view word, Json::Kind kind, Json& value) {
    if (!text_.substr(at_).starts_with(word)) return fail("expected a value, found " + found());
    at_ += word.size();
    value.kind = kind;
    return true;
  }

  bool enter() {
    if (++depth_ > kMaxJsonDepth) {
      return fail("nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    ++at_;  // the bracket
    skip_space();
    return true;
  }

  bool read_array(Json& value) {
    value.kind = Json::Kind::array;
    if (!enter()) return false;
    if (!take(']')) {
      while (true) {
        if (!read_value(value.items.emplace_back())) return false;
        skip_space();
        if (take(']')) break;
        if (!take(',')) return fail("expected \",\" or \"]\", found " + found());
        skip_space();
        if (next_is(']')) return fail("a \",\" stands before \"]\"");
      }
    }
    --depth_;
    return true;
  }

  bool read_object(Json& value) {
    value.kind = Json::Kind::object;
    if (!enter()) return false;
    std::unordered_set<std::string> keys;  // filled only for objects too large to search
    if (!take('}')) {
      while (true) {
        if (!read_member(value.members, keys)) return false;
        skip_space();
        if (take('}')) break;
        if (!take(',')) return fail("expected \",\" or \"}\", found " + found());
        skip_space();
        if (next_is('}')) return fail("a \",\" stands before \"}\"");
      }
    }
    --depth_;
    return true;
  }

  bool read_member(std::vector<JsonMember>& members, std::unordered_set<std::string>& keys) {
    if (!next_is('"')) return fail("expected a key in double quotes, found " + found());
    const std::size_t start = at_;
    std::string key;
    if (!read_string(key)) return false;
    if (is_twice(members, keys, key)) {
      std::string quoted;
      append_json_string(quoted, utf8_prefix(key, 80));
      return fail_at(start, "the key " + quoted + " appears twice in one object");
    }
    skip_space();
    if (!take(':')) return fail("expected \":\" after the key, found " + found());
    skip_space();
    JsonMember& member = members.emplace_back();
    member.key = std::move(key);
    return read_value(member.value);
  }

  static bool is_twice(const std::vector<JsonMember>& members,
                       std::unordered_set<std::string>& keys, const std::string& key) {
    constexpr std::size_t kSearched = 24;
    if (members.size() < kSearched) {
      return std::any_of(members.begin(), members.end(),
                         [&](const JsonMember& member) { return member.key == key; });
    }
    if (keys.empty()) {
      for (const JsonMember& member : members) keys.insert(member.key);
    }
    return !keys.insert(key).second;
  }

  bool read_string(std::string& out) {
    ++at_;  // the quote
    while (true) {
      if (at_ >= text_.size()) return fail("a string is not closed");
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '"') {
        ++at_;
        return true;
      }
      if (byte < 0x20) return fail("a control character in a string must be written as an escape");
      if (byte == '\\') {
        if (!read_escape(out)) return false;
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0) return fail("a byte that is not UTF-8");
      out.append(text_, at_, length);
      at_ += length;
    }
  }

  bool read_escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    if (at_ + 1 >= text_.size()) return fail("a string is not closed");
    if (text_[at_ + 1] == 'u') return read_unicode(out);
    const std::size_t index = kNames.find(text_[at_ + 1]);
    if (index == std::string_view::npos) return fail("an escape that JSON does not have");
    out += kValues[index];
    at_ += 2;
    return true;
  }

  bool read_unicode(std::string& out) {
    const std::size_t start = at_;
    std::uint32_t code = 0;
    if (!read_hex(code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF)
      return fail_at(start, "half a surrogate pair in a string");
    if (code >= 0xD800 && code <= 0xDBFF) {
      std::uint32_t low = 0;
      if (!text_.substr(at_).starts_with("\\u")) {
        return fail_at(start, "half a surrogate pair in a string");
      }
      if (!read_hex(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return fail_at(start, "half a surrogate pair in a string");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }

  bool read_hex(std::uint32_t& code) {  // at "\uXXXX"
    const std::string_view digits = text_.substr(std::min(at_ + 2, text_.size()), 4);
    const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16).ptr;
    if (digits.size() != 4 || end != digits.data() + 4) {
      return fail("\\u must be followed by four hexadecimal digits");
    }
    at_ += 6;
    return true;
  }

  bool read_digits() {
    if (at_ >= text_.size() || !is_digit(text_[at_])) {
      return fail("expected a digit, found " + found());
    }
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return true;
  }

  bool read_number(Json& value) {
    const std::size_t start = at_;
    bool whole = true;
    take('-');
    const bool zero = next_is('0');
    const std::size_t first = at_;
    if (!read_digits()) return false;
    if (zero && at_ - first > 1) return fail_at(start, "a number must not start with 0");
    if (take('.')) {
      whole = false;
      if (!read_digits()) return false;
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) take('-');
      if (!read_digits()) return false;
    }
    value.kind = Json::Kind::number;
    value.text = text_.substr(start, at_ - start);
    return is_in_range(value.text, whole) || fail_at(start, "a number out of range");
  }

  static bool is_in_range(std::string_view digits, bool whole) {
    const char* last = digits.data() + digits.size();
    if (whole) {
      std::int64_t number = 0;
      if (std::from_chars(digits.data(), last, number).ec == std::errc{}) return true;
      std::uint64_t positive = 0;
      return digits.front() != '-' &&
             std::from_chars(digits.data(), last, positive).ec == std::errc{};
    }
    double number = 0;
    return std::from_chars(digits.data(), last, number).ec == std::errc{} && std::isfinite(number);
  }

  std::string_view text_;
  std::size_t begin_ = 0;  // after a BOM
  std::size_t at_ = 0;
  int depth_ = 0;
  std::string problem_;
  std::size_t problem_at_ = 0;
};

}  // namespace

Result<Json> read_json(std::string_view text) { return Reader(text).read(); }

}  // namespace azora
