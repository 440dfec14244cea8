#include "azora/model/json_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>
#include <utility>

#include "azora/model/json_writer.hpp"
#include "azora/model/utf8.hpp"

namespace azora {
namespace {

// Gives the text to nlohmann's lexer byte by byte, so that a handler knows the position it has reached.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    if (reached_ != nullptr) *reached_ = at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return a.at_ != b.at_; }

 private:
  const char* at_;
  const char** reached_;
};

bool is_number_char(char c) { return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'; }

bool is_in_range(std::string_view digits) {
  const char* last = digits.data() + digits.size();
  if (digits.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t number = 0;
    if (std::from_chars(digits.data(), last, number).ec == std::errc{}) return true;
    std::uint64_t positive = 0;
    return digits.front() != '-' && std::from_chars(digits.data(), last, positive).ec == std::errc{};
  }
  double number = 0;
  return std::from_chars(digits.data(), last, number).ec == std::errc{} && std::isfinite(number);
}

// A number that nlohmann's lexer takes, as long as one that it does not take: "-1e400" becomes "-1e000".
void tame(std::string& text, std::size_t start, std::size_t size) {
  if (text[start] == '-') ++start, --size;
  text[start] = '1';
  text[start + 1] = 'e';
  std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(start) + 2, size - 2, '0');
}

// Builds the tree from nlohmann's events and refuses what its parser accepts. Every handler returns false after fail(),
// which ends the parsing.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(std::string_view text, std::vector<WideNumber>& wide) : text_(text), wide_(wide) {}

  Result<Json> read() {
    constexpr int kMostReadings = 17;
    const std::size_t zero = text_.find('\0');  // nlohmann's lexer takes it for the end of the text
    if (zero != std::string_view::npos) {
      fail_at(zero, "a NUL byte is not allowed");
      return Error{ErrorCode::invalid_json, std::move(problem_), {}};
    }
    std::string tamed;
    for (int readings = 0; !read_once(tamed.empty() ? text_ : tamed); ++readings) {
      if (!overflow_ || readings == kMostReadings) return Error{ErrorCode::invalid_json, std::move(problem_), {}};
      if (tamed.empty()) tamed = text_;
      const std::string_view number = text_.substr(*overflow_);
      tame(tamed, *overflow_, std::min(number.find_first_not_of("0123456789-+.eE"), number.size()));
    }
    return std::move(root_);
  }

  bool null() override {
    add().kind = Json::Kind::null;
    return true;
  }
  bool boolean(bool value) override {
    Json& made = add();
    made.kind = Json::Kind::boolean;
    made.boolean = value;
    return true;
  }
  bool number_integer(number_integer_t) override { return number(); }
  bool number_unsigned(number_unsigned_t) override { return number(); }
  bool number_float(number_float_t, const string_t&) override { return number(); }
  bool string(string_t& value) override {
    Json& made = add();
    made.kind = Json::Kind::string;
    made.text = std::move(value);
    return true;
  }
  bool binary(binary_t&) override { return fail_at(here(), "not JSON"); }  // does not occur in texts
  bool start_object(std::size_t) override { return enter(Json::Kind::object); }
  bool start_array(std::size_t) override { return enter(Json::Kind::array); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(string_t& value) override {
    Open& open = open_.back();
    if (is_twice(open, value)) {
      std::string quoted;
      append_json_string(quoted, utf8_prefix(value, 80));
      return fail_at(start_of_key(), "the key " + quoted + " appears twice in one object");
    }
    JsonMember& member = open.value->members.emplace_back();
    member.key = std::move(value);
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    constexpr int kOverflow = 406;
    if (error.id == kOverflow) return overflows();
    if (problem_.empty() && text_.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      return fail_at(0, "the text is empty; it must be JSON, such as {\"id\": \"orders\"}");
    }
    if (problem_.empty()) problem_ = in_our_words(error.what());
    return false;
  }

 private:
  struct Open {
    Json* value;
    std::unordered_set<std::string> keys;  // filled only for objects too large to search
  };

  // `source` is the text, apart from numbers that were tamed: positions are the same.
  bool read_once(std::string_view source) {
    root_ = {};
    open_.clear();
    problem_.clear();
    wide_.clear();
    overflow_.reset();
    begin_ = reached_ = source.data();
    CountingIterator first(source.data(), &reached_);
    CountingIterator last(source.data() + source.size(), nullptr);
    return nlohmann::json::sax_parse(first, last, this) && problem_.empty();
  }

  std::size_t here() const { return static_cast<std::size_t>(reached_ - begin_); }

  std::string place_of(std::size_t where) const {
    std::string_view before = text_.substr(0, where);
    if (before.starts_with("\xEF\xBB\xBF")) before.remove_prefix(3);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n');
    const std::size_t column = line_start == std::string_view::npos ? before.size() : before.size() - line_start - 1;
    return "line " + std::to_string(lines + 1) + ", column " + std::to_string(column + 1) + ": ";
  }

  bool fail_at(std::size_t where, const std::string& problem) {
    problem_ = place_of(where) + problem;
    return false;
  }

  // Turns "[json.exception..] parse error at line 1, column 4: syntax error while parsing value - unexpected ']'; last
  // read: '..'; expected .." into the part without its beginning and without the input, which may be long and contain
  // any bytes.
  static std::string in_our_words(std::string_view what) {
    const std::size_t place = what.find("line ");
    if (place != std::string_view::npos) what.remove_prefix(place);
    const std::size_t read = what.find("; last read: ");
    if (read == std::string_view::npos) return std::string(utf8_prefix(what, 300));
    std::string out(what.substr(0, read));
    if (out.ends_with("invalid literal") && is_no_number(what.substr(read))) out += ": JSON has neither NaN nor Infinity";
    const std::size_t expected = what.rfind("; expected ");
    if (expected != std::string_view::npos && expected > read) out += what.substr(expected);
    return out;
  }

  // "; last read: '..N'; expected ..": the lexer stops at the first letter of NaN, Infinity or -Infinity.
  static bool is_no_number(std::string_view read) {
    const std::size_t end = std::min(read.rfind("; expected "), read.size());
    read = read.substr(0, end);
    return read.ends_with("N'") || read.ends_with("I'");
  }

  Json& add() {
    if (open_.empty()) return root_;
    Json& parent = *open_.back().value;
    return parent.kind == Json::Kind::array ? parent.items.emplace_back() : parent.members.back().value;
  }

  bool enter(Json::Kind kind) {
    if (open_.size() >= kMaxJsonDepth) {
      return fail_at(here() - 1, "nested deeper than " + std::to_string(kMaxJsonDepth) + " levels");
    }
    Json& made = add();
    made.kind = kind;
    open_.push_back({&made, {}});
    return true;
  }
  bool leave() {
    open_.pop_back();
    return true;
  }

  // The place where the number just read begins, and its text; the lexer is one byte ahead.
  std::pair<std::size_t, std::string_view> spelled_number() const {
    std::size_t end = here();
    if (end > 0 && !is_number_char(text_[end - 1])) --end;
    std::size_t start = end;
    while (start > 0 && is_number_char(text_[start - 1])) --start;
    return {start, text_.substr(start, end - start)};
  }

  bool number() {
    const auto [start, digits] = spelled_number();
    Json& made = add();
    made.kind = Json::Kind::number;
    made.text = digits;
    return is_in_range(digits) || is_listed(start, digits);
  }
  bool is_listed(std::size_t start, std::string_view digits) {
    constexpr std::size_t kMost = 64;  // each costs as much as there is before it
    std::string number(utf8_prefix(digits, 40));
    if (number.size() < digits.size()) number += "...";
    const std::string problem = "the number " + number + " is out of range";
    if (wide_.size() == kMost) return fail_at(start, problem);
    wide_.push_back({path(), number, place_of(start) + problem});
    return true;
  }
  // The lexer gives up at a number that no double can hold.
  bool overflows() {
    overflow_ = spelled_number().first;
    return fail_at(*overflow_, "a number is out of range");
  }

  // Where the value that was just added stands.
  std::string path() const {
    std::string out;
    for (const Open& open : open_) {
      if (open.value->kind == Json::Kind::array) {
        out += "[" + std::to_string(open.value->items.size() - 1) + "]";
      } else {
        if (!out.empty()) out += '.';
        out += utf8_prefix(open.value->members.back().key, 80);
      }
    }
    return out;
  }

  // The lexer is right after the key's closing quote.
  std::size_t start_of_key() const {
    for (std::size_t at = here() - 1; at > 0;) {
      --at;
      if (text_[at] != '"') continue;
      std::size_t slashes = 0;
      while (slashes < at && text_[at - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) return at;
    }
    return 0;
  }

  static bool is_twice(Open& open, const std::string& key) {
    constexpr std::size_t kSearched = 24;
    const std::vector<JsonMember>& members = open.value->members;
    if (members.size() < kSearched) {
      return std::any_of(members.begin(), members.end(), [&](const JsonMember& member) { return member.key == key; });
    }
    if (open.keys.empty()) {
      for (const JsonMember& member : members) open.keys.insert(member.key);
    }
    return !open.keys.insert(key).second;
  }

  std::string_view text_;
  std::vector<WideNumber>& wide_;
  const char* begin_ = nullptr;    // of what the lexer reads
  const char* reached_ = nullptr;  // how far it has read
  Json root_;
  std::vector<Open> open_;
  std::string problem_;
  std::optional<std::size_t> overflow_;  // where the number begins at which the lexer gave up
};

}  // namespace

Result<Json> read_json(std::string_view text, std::vector<WideNumber>& wide) { return Builder(text, wide).read(); }

Result<Json> read_json(std::string_view text) {
  std::vector<WideNumber> wide;
  Result<Json> json = read_json(text, wide);
  if (json && !wide.empty()) return Error{ErrorCode::invalid_json, std::move(wide.front().problem), {}};
  return json;
}

}  // namespace azora
