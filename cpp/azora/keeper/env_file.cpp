#include "azora/keeper/env_file.hpp"

#include <cstring>

namespace azora::keeper {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool is_name_char(char c, bool first) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return letter || (!first && c >= '0' && c <= '9');
}

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

// Puts the value at [at, end) to `out` (never ahead of `at`) and terminates it.
EnvFault take_value(const char* at, const char* end, char* out) {
  while (at < end && is_space(*at)) ++at;
  const char quote = at < end && (*at == '"' || *at == '\'') ? *at : '\0';
  if (quote == '\0') {
    char* last = out;  // behind the last character that is not a space
    const char* start = at;
    for (; at < end; ++at) {
      if (*at == '#' && (at == start || is_space(at[-1]))) break;
      const bool space = is_space(*at);
      *out++ = *at;
      if (!space) last = out;
    }
    *last = '\0';
    return EnvFault::none;
  }
  for (++at; at < end && *at != quote; ++at) {
    if (quote == '"' && *at == '\\' && at + 1 < end && is_escape(at[1])) {
      *out++ = unescaped(*++at);
    } else {
      *out++ = *at;
    }
  }
  if (at == end) return EnvFault::open_quote;
  if (!only_comment(at + 1, end)) return EnvFault::after_quote;
  *out = '\0';
  return EnvFault::none;
}

// One line without its end, terminated in place.
EnvFault take_line(char* at, char* end, EnvLine* line) {
  constexpr char kExport[] = "export";
  constexpr std::size_t kExportSize = sizeof kExport - 1;
  const auto left = static_cast<std::size_t>(end - at);
  if (left > kExportSize && std::memcmp(at, kExport, kExportSize) == 0 && is_space(at[kExportSize])) {
    at += kExportSize;
    while (at < end && is_space(*at)) ++at;
  }
  char* name_end = at;
  while (name_end < end && is_name_char(*name_end, name_end == at)) ++name_end;
  char* equals = name_end;
  while (equals < end && is_space(*equals)) ++equals;
  if (equals == end || *equals != '=') {
    const bool elsewhere = std::memchr(equals, '=', static_cast<std::size_t>(end - equals)) != nullptr;
    return elsewhere ? EnvFault::bad_name : EnvFault::no_equals;
  }
  if (name_end == at) return EnvFault::bad_name;
  line->text = at;
  line->name_size = static_cast<std::size_t>(name_end - at);
  *name_end = '=';
  return take_value(equals + 1, end, name_end + 1);
}

}  // namespace

bool EnvFileReader::next(EnvLine* line) {
  while (at_ < end_) {
    char* start = at_;
    const auto left = static_cast<std::size_t>(end_ - at_);
    auto* line_end = static_cast<char*>(std::memchr(start, '\n', left));
    if (line_end == nullptr) line_end = end_;
    at_ = line_end < end_ ? line_end + 1 : end_;
    ++line_;
    *line = EnvLine{.line = line_};
    if (std::memchr(start, 0, static_cast<std::size_t>(line_end - start)) != nullptr) {
      line->fault = EnvFault::nul;
      return true;
    }
    while (start < line_end && is_space(*start)) ++start;
    if (only_comment(start, line_end)) continue;
    line->fault = take_line(start, line_end, line);
    return true;
  }
  return false;
}

const char* describe(EnvFault fault) {
  switch (fault) {
    case EnvFault::none: break;
    case EnvFault::no_equals: return "has no '='; write NAME=value";
    case EnvFault::bad_name: return "has a name that is not letters, digits and '_', no digit first";
    case EnvFault::open_quote: return "opens a quote that does not end on the line";
    case EnvFault::after_quote: return "has text behind the closing quote";
    case EnvFault::nul: return "has a NUL character";
  }
  return "";
}

}  // namespace azora::keeper
