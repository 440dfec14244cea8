#pragma once
// Lines of an environment file (R58): NAME=value, optionally after "export". '#' begins a comment at the start of a
// line and after a blank; values are bare (literal, up to the end of the line without blanks around them), in single
// quotes (literal) or in double quotes (\n \t \r \\ \" \$ \`); quoted ones may go over several lines. A byte order
// mark is skipped, "\r\n" ends a line. Also compiled into the static program: no allocation.
// '$' is a character like any other unless the reader is asked to mark it (env_expand.hpp).
// Threads: the caller's. Fails: by EnvFault, with the number of the line that the variable begins on.
#include <cstddef>
#include <cstdint>

namespace azora::keeper {

enum class EnvFault : std::uint8_t {
  none = 0,
  no_equals = 1,    // the line has no '='
  bad_name = 2,     // letters, digits and '_' only, no digit first
  open_quote = 3,   // a quote that does not end
  after_quote = 4,  // text behind the closing quote
  nul = 5,          // a NUL character
  too_large = 6,    // what it expands to is larger than a file may be (env_expand.hpp)
};

struct EnvLine {
  char* text = nullptr;       // NAME=value, NUL-terminated
  std::size_t name_size = 0;
  std::size_t size = 0;       // of NAME=value
  std::uint32_t line = 0;     // counted from 1
  EnvFault fault = EnvFault::none;
};

// What stands for a '$' that is to be replaced: no file may have it.
inline constexpr char kEnvMark = '\0';

// Reads a text in place: the lines it gives point into it, unquoted and terminated there.
class EnvFileReader {
 public:
  // `text` has room for one more byte after `size`. `mark`: each '$' that is neither in single quotes nor escaped
  // becomes kEnvMark.
  EnvFileReader(char* text, std::size_t size, bool mark = false);
  // False at the end. After a fault: stop.
  bool next(EnvLine* line);

 private:
  EnvFault take_line(char* line_end, EnvLine* line);
  EnvFault take_bare(char* line_end, char* out, EnvLine* line);
  EnvFault take_quoted(char* out, EnvLine* line);

  char* at_;
  char* end_;
  std::uint32_t line_ = 0;  // lines that at_ is behind
  bool mark_;
};

bool is_env_name_char(char c, bool first);
const char* describe(EnvFault fault);

}  // namespace azora::keeper
