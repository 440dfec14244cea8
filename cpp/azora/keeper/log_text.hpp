#pragma once
// Makes what readers of logs get, out of the bytes of log files and of the index beside each (log_mark.hpp): valid
// UTF-8 (other bytes become U+FFFD), the time before each line where it is asked for, and the places where lines are
// missing.
// Threads: one at a time. Ownership: none; files are borrowed. Fails: never; what is not in an index is not known, "-".
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// Follows no link: the folder is the shim's, which makes only files there. `suffix`: "" or kTimesSuffix.
Fd open_log(const std::string& folder, std::uint64_t number, std::string_view suffix = {});
// Less than `size` at the end of the file.
std::string read_at(const Fd& file, std::uint64_t offset, std::size_t size);
// How much of `bytes` ends with a line.
std::size_t whole_lines(std::string_view bytes);
bool begins_line(const Fd& file, std::uint64_t offset);

// Lines are missing in a text.
struct LogGap {
  std::size_t at = 0;               // in the text
  LogLoss loss;
  std::int64_t until_wall_ms = 0;   // when the next line was taken
};

class LogText {
 public:
  explicit LogText(bool timestamps) : timestamps_(timestamps) {}

  // Adds the bytes at `offset` of the file that has this index. `begins`: a line begins there.
  void add(const Fd& index, std::uint64_t offset, std::string_view bytes, bool begins);
  bool ends_with_line() const { return text_.empty() || text_.back() == '\n'; }

  std::string take_text() { return std::move(text_); }
  std::vector<LogGap> take_gaps() { return std::move(gaps_); }

 private:
  bool timestamps_;
  std::string text_;
  std::vector<LogGap> gaps_;
};

}  // namespace azora::keeper
