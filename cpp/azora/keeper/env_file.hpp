#pragma once
// Lines of an environment file: NAME=value, optionally after "export", with '#' comments; values bare
// (ending before whitespace and '#'), in single quotes (literal) or double quotes (\n \t \\ \" \$).
// No substitution, no line goes over its end. Also compiled into the static program: no allocation.
// Threads: the caller's. Fails: by EnvFault, with the line's number.
#include <cstddef>
#include <cstdint>

namespace azora::keeper {

enum class EnvFault : std::uint8_t {
  none = 0,
  no_equals = 1,    // the line has no '='
  bad_name = 2,     // letters, digits and '_' only, no digit first
  open_quote = 3,   // a quote that does not end on its line
  after_quote = 4,  // text behind the closing quote
  nul = 5,          // a NUL character
};

struct EnvLine {
  char* text = nullptr;      // NAME=value, NUL-terminated
  std::size_t name_size = 0;
  std::uint32_t line = 0;    // counted from 1
  EnvFault fault = EnvFault::none;
};

// Reads a text in place: the lines it gives point into it, unquoted and terminated there.
class EnvFileReader {
 public:
  // `text` has room for one more byte after `size`.
  EnvFileReader(char* text, std::size_t size) : at_(text), end_(text + size) {}
  // False at the end. After a fault: stop.
  bool next(EnvLine* line);

 private:
  char* at_;
  char* end_;
  std::uint32_t line_ = 0;
};

const char* describe(EnvFault fault);

}  // namespace azora::keeper
