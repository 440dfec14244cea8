#include "azora/keeper/env_file.hpp"

#include <cstring>

namespace azora::keeper {
namespace {

constexpr char kByteOrderMark[] = "\xef\xbb\xbf";
constexpr std::size_t kByteOrderMarkSize = sizeof kByteOrderMark - 1;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool only_comment(const char* at, const char* end) {
  while (at < end && is_space(*at)) ++at;
  return at == end || *at == '#';
}

char unescaped(char c) {
  switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    default: return c;
  }
}

bool is_escape(char c) {
  return c == 'n' || c == 't' || c == 'r' || c == '\\' || c == '"' || c == '$' || c == '`';
}

bool has_nul(const char* at, const char* end) {
  return std::memchr(at, 0, static_cast<std::size_t>(end - at)) != nullptr;
}

// The end of the line that `at` is on: its '\n', or `end`.
char* end_of_line(char* at, char* end) {
  auto* found = static_cast<char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
  return found != nullptr ? found : end;
}

char* behind_export(char* at, char* end) {
  constexpr char kExport[] = "export";
  constexpr std::size_t kExportSize = sizeof kExport - 1;
  const auto left = static_cast<std::size_t>(end - at);
  if (left <= kExportSize || std::memcmp(at, kExport, kExportSize) != 0 || !is_space(at[kExportSize])) return at;
  at += kExportSize;
  while (at < end && is_space(*at)) ++at;
  return at;
}

}  // namespace

EnvFileReader::EnvFileReader(char* text, std::size_t size, bool mark) : at_(text), end_(text + size), mark_(mark) {
  if (size >= kByteOrderMarkSize && std::memcmp(text, kByteOrderMark, kByteOrderMarkSize) == 0) at_ += kByteOrderMarkSize;
}

bool EnvFileReader::next(EnvLine* line) {
  while (at_ < end_) {
    char* line_end = end_of_line(at_, end_);
    ++line_;
    *line = EnvLine{.line = line_};
    if (has_nul(at_, line_end)) {
      line->fault = EnvFault::nul;
      return true;
    }
    if (!only_comment(at_, line_end)) {
      line->fault = take_line(line_end, line);
      return true;
    }
    at_ = line_end < end_ ? line_end + 1 : end_;
  }
  return false;
}

// A variable that begins on this line; afterwards at_ is behind it.
EnvFault EnvFileReader::take_line(char* line_end, EnvLine* line) {
  char* at = at_;
  while (at < line_end && is_space(*at)) ++at;
  at = behind_export(at, line_end);
  char* name_end = at;
  while (name_end < line_end && is_env_name_char(*name_end, name_end == at)) ++name_end;
  char* equals = name_end;
  while (equals < line_end && is_space(*equals)) ++equals;
  if (equals == line_end || *equals != '=') {
    const bool elsewhere = std::memchr(equals, '=', static_cast<std::size_t>(line_end - equals)) != nullptr;
    return elsewhere ? EnvFault::bad_name : EnvFault::no_equals;
  }
  if (name_end == at) return EnvFault::bad_name;
  line->text = at;
  line->name_size = static_cast<std::size_t>(name_end - at);
  *name_end = '=';
  at_ = equals + 1;
  char* value = at_;
  while (value < line_end && is_space(*value)) ++value;
  if (value == line_end || (*value != '"' && *value != '\'')) return take_bare(line_end, name_end + 1, line);
  at_ = value;
  return take_quoted(name_end + 1, line);
}

// The value at at_, up to the end of its line, moved to `out` (never ahead of at_).
EnvFault EnvFileReader::take_bare(char* line_end, char* out, EnvLine* line) {
  char* last = out;  // behind the last character that is not a blank
  bool blank = false;
  bool begun = false;
  for (; at_ < line_end; ++at_) {
    if (*at_ == '#' && blank) break;
    blank = is_space(*at_);
    begun = begun || !blank;
    if (!begun) continue;
    *out++ = mark_ && *at_ == '$' ? kEnvMark : *at_;
    if (!blank) last = out;
  }
  *last = '\0';
  line->size = static_cast<std::size_t>(last - line->text);
  at_ = line_end < end_ ? line_end + 1 : end_;
  return EnvFault::none;
}

// The value at at_, which begins with a quote, moved to `out` (never ahead of at_).
EnvFault EnvFileReader::take_quoted(char* out, EnvLine* line) {
  const char quote = *at_;
  for (++at_; at_ < end_ && *at_ != quote; ++at_) {
    const bool more = at_ + 1 < end_;
    if (*at_ == '\0') return EnvFault::nul;
    if (*at_ == '\r' && more && at_[1] == '\n') continue;
    if (*at_ == '\n') ++line_;
    if (quote == '"' && *at_ == '\\' && more && is_escape(at_[1])) {
      *out++ = unescaped(*++at_);
    } else {
      *out++ = mark_ && quote == '"' && *at_ == '$' ? kEnvMark : *at_;
    }
  }
  if (at_ == end_) return EnvFault::open_quote;
  char* line_end = end_of_line(++at_, end_);
  if (has_nul(at_, line_end)) return EnvFault::nul;
  if (!only_comment(at_, line_end)) return EnvFault::after_quote;
  at_ = line_end < end_ ? line_end + 1 : end_;
  *out = '\0';
  line->size = static_cast<std::size_t>(out - line->text);
  return EnvFault::none;
}

bool is_env_name_char(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

const char* describe(EnvFault fault) {
  switch (fault) {
    case EnvFault::none: break;
    case EnvFault::no_equals: return "has no '='; write NAME=value";
    case EnvFault::bad_name: return "has an invalid name; use letters, digits and '_', and do not begin with a digit";
    case EnvFault::open_quote: return "opens a quote that is not closed; close it, or put the value into other quotes";
    case EnvFault::after_quote: return "has text after the closing quote; put the whole value into one pair of quotes";
    case EnvFault::nul: return "has a NUL character; remove it";
    case EnvFault::too_large: return "makes the file too large after its variables are expanded; remove some";
  }
  return "";
}

}  // namespace azora::keeper
