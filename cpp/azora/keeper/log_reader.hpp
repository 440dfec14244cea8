#pragma once
// Reads a service's output out of its folder of log files (log.1, log.2, ...; the highest number is being
// written, the oldest vanish): the last lines, and from there on for as long as they are followed.
// Whole lines are given (log_text.hpp). An unfinished line is given apart, and again when it is finished, unless it
// alone fills the room asked for.
// Threads: any that may wait for a disk, each with a reader of its own; no state but the folder's name.
// Fails: never by itself. A missing folder has no lines: it may be made later.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/keeper/log_text.hpp"

namespace azora::keeper {

// A place between two lines. {0, 0} is before everything.
struct LogCursor {
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  friend bool operator==(const LogCursor&, const LogCursor&) = default;
};

struct LogPart {
  std::string text;
  LogCursor next;            // behind the text
  std::string unfinished;    // what stands behind that now: the beginning of a line, up to its last whole character
  std::vector<LogGap> gaps;  // lines that are missing in the text
  std::vector<LogGap> unfinished_gaps = {};  // in `unfinished`, mostly before it
  bool missed = false;       // files that would have come first were removed before they were read
  bool missed_after = false; // likewise files that would have come behind the text; more will not come
};

class LogReader {
 public:
  static constexpr std::size_t kMostLines = 10'000;
  static constexpr std::size_t kMostBytes = 4 * 1024 * 1024;  // of one answer

  // `timestamps`: each line begins with the time at which the shim took its first bytes, RFC 3339 in UTC.
  explicit LogReader(std::string folder, bool timestamps = false)
      : folder_(std::move(folder)), timestamps_(timestamps) {}

  // The numbers of the files that are there, in the order in which they were written.
  std::vector<std::uint64_t> files() const;
  // The last `lines` lines (at most kMostLines) as far as they fit into `max_bytes`.
  LogPart tail(std::size_t lines, std::size_t max_bytes = kMostBytes) const;
  // What follows `cursor`, at most `max_bytes` of it; empty: nothing yet, ask again later.
  LogPart read_from(LogCursor cursor, std::size_t max_bytes = kMostBytes) const;

 private:
  void add_unfinished(LogPart& part, const Fd& file, std::string_view bytes) const;
  std::string folder_;
  bool timestamps_;
};

}  // namespace azora::keeper
