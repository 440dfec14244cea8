#pragma once
// The log files of one service in the current folder: log.1, log.2, ...; the highest number is written, the oldest
// are removed, each with its index (log_mark.hpp). Plain text: any tool may read, remove, empty or add to it any time.
// Whole lines go in or are lost and counted: never a part of one, never a wait for room. What is removed is made anew
// with the next write, the folder too. Threads: the program has one.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/program/log_index.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// An open with these never waits, whatever lies there.
inline constexpr int kLogFlags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
inline constexpr unsigned kLogMode = 0600;

// Size up to and with the last newline, 0 when there is none.
std::size_t whole_lines(const char* data, std::size_t size);

class LogFile {
 public:
  // Limits of what is written from now on.
  void configure(std::uint64_t max_bytes, std::uint32_t files);
  // Appends whole lines, or a piece of one too long, taken at `at_ms`. They begin with what show() gave before.
  void append(const char* data, std::size_t size, std::int64_t at_ms);
  // The beginning of a line that is not finished: stands in the file until append() or lose() gets the line.
  void show(const char* data, std::size_t size, std::int64_t at_ms);
  // Counts lines that are not written. `error`: why not, 0: the disk is too slow.
  void lose(const char* data, std::size_t size, int error);
  // No piece of the last line follows.
  void end_line();

  std::uint64_t dropped() const { return dropped_; }
  const LogLoss& loss() const { return loss_; }
  // The current folder has changed: goes on there with the next file.
  void move();
  void close();

 private:
  int make_ready();
  bool is_in_place();
  int open_newest();
  std::uint64_t room() const;
  std::size_t fitting(const char* data, std::size_t size) const;
  std::size_t put(const char* data, std::size_t size, std::int64_t at_ms, int* error);
  int write_rest(const char* data, std::size_t size, std::int64_t at_ms, std::size_t* written);
  void take_back();
  void rotate();

  LogIndex index_;
  int fd_ = -1;
  std::uint64_t inode_ = 0;
  std::uint64_t number_ = 0;  // of the file being written; 0: not known yet
  std::uint64_t size_ = 0;    // of it, without what is only shown
  std::size_t shown_ = 0;     // behind that: the beginning of the line that append() gets next
  std::uint64_t max_bytes_ = 1;
  std::uint32_t files_ = 1;
  bool cut_ = false;          // it ends with a piece of a line that goes on
  bool torn_ = false;         // the same, but the rest never came: what follows is another line
  LogLoss loss_;
  std::uint64_t dropped_ = 0;  // lines, in all
};

}  // namespace azora::keeper
