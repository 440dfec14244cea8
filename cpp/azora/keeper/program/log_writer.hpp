#pragma once
// Makes lines of what a service writes, for its log files (log_file.hpp). A line that is not finished is shown in the
// file after a second of silence and completed there; one longer than the buffer is cut into pieces.
// Threads: the program has one.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/program/log_file.hpp"

namespace azora::keeper {

class LogWriter {
 public:
  static constexpr std::size_t kBuffer = 8 * 1024;  // the longest line that stays whole

  // Limits of what is written from now on.
  void configure(std::uint64_t max_bytes, std::uint32_t files) { file_.configure(max_bytes, files); }

  enum class Pumped { nothing, some, ended };
  // Takes what is in the pipe, at most `rounds` buffers of it.
  Pumped pump(int pipe, int rounds);
  // When the line in the buffer has been unfinished in silence for long enough (steady); 0: there is none to show.
  std::int64_t show_at_ns() const { return filled_ > shown_ ? read_at_ns_ + kSilenceNs : 0; }
  void show_unfinished();
  // The writers have ended: what is left in the buffer is a line, too.
  void finish_line();
  // Reads and counts what is in the pipe now instead of writing it: the disk cannot keep up.
  void drop_backlog(int pipe);

  std::uint64_t dropped() const { return file_.dropped(); }
  const LogLoss& loss() const { return file_.loss(); }
  // The current folder has changed: goes on there with the next file.
  void move() { file_.move(); }
  void close() { file_.close(); }

 private:
  static constexpr std::int64_t kSilenceNs = 1'000'000'000;
  void take_lines(bool all, std::int64_t now_ms);
  void forget(std::size_t size);

  char buffer_[kBuffer];
  std::size_t filled_ = 0;
  std::size_t shown_ = 0;         // of it was shown, or could not be
  std::int64_t begun_ms_ = 0;     // when the beginning of the line at its start was taken
  std::int64_t read_at_ns_ = 0;   // the last time that anything came
  LogFile file_;
};

}  // namespace azora::keeper
