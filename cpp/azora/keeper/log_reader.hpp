#pragma once
// Reads a service's output out of its folder of log files (log.1, log.2, ...; the highest number is being
// written, the oldest vanish): the last lines, and from there on for as long as they are followed.
// Only whole lines are given, valid UTF-8 (what is not becomes U+FFFD): a line still being written waits
// for its end, unless it alone fills the room asked for.
// Threads: any that may wait for a disk, each with a reader of its own; no state but the folder's name.
// Fails: never by itself. A folder that is not there has no lines: it may yet come.
#include <cstddef>
#include <cstdint>
#include <string>

#include "azora/base/fd.hpp"

namespace azora::keeper {

// A place between two lines. {0, 0} is before everything.
struct LogCursor {
  std::uint64_t file = 0;
  std::uint64_t offset = 0;
  friend bool operator==(const LogCursor&, const LogCursor&) = default;
};

struct LogPart {
  std::string text;
  LogCursor next;        // behind the text
  bool missed = false;   // files that would have come first were removed before they were read
};

class LogReader {
 public:
  static constexpr std::size_t kMostLines = 10'000;
  static constexpr std::size_t kMostBytes = 4 * 1024 * 1024;  // of one answer

  explicit LogReader(std::string folder) : folder_(std::move(folder)) {}

  // The last `lines` lines (at most kMostLines) as far as they fit into `max_bytes`.
  LogPart tail(std::size_t lines, std::size_t max_bytes = kMostBytes) const;
  // What follows `cursor`, at most `max_bytes` of it; empty: nothing yet, ask again later.
  LogPart read_from(LogCursor cursor, std::size_t max_bytes = kMostBytes) const;

 private:
  std::string folder_;
};

// Goes through the output of one service to its very end: it holds the file it has come to, so that what was
// written there last is still given when the folder has been removed.
// Threads: one at a time. Ownership: the open file. Fails: never.
class LogFollower {
 public:
  // The last `lines` lines; the place is behind them.
  LogPart begin(const std::string& folder, std::size_t lines);
  // What came since, whole lines but for the very last one. The folder may not be there yet.
  LogPart next(const std::string& folder);
  // There is no folder, and what it held was given.
  bool ended() const { return ended_; }

 private:
  void hold(const std::string& folder);

  LogCursor at_;
  Fd file_;                       // of at_.file
  std::uint64_t file_number_ = 0; // which one is held
  bool ended_ = false;
};

}  // namespace azora::keeper
