#pragma once
// The log files of one service in the current folder: log.1, log.2, ..; the highest number is written,
// the oldest go. Whole lines go in or are dropped and counted: never a part of one, never a wait for room.
// A line longer than the buffer is cut into pieces. Threads: the program has one.
#include <cstddef>
#include <cstdint>

namespace azora::keeper {

class LogWriter {
 public:
  static constexpr std::size_t kBuffer = 8 * 1024;  // the longest line that stays whole

  // Limits of what is written from now on.
  void configure(std::uint64_t max_bytes, std::uint32_t files);

  enum class Pumped { nothing, some, ended };
  // Takes what is in the pipe, at most `rounds` buffers of it.
  Pumped pump(int pipe, int rounds);
  // The writers have ended: what is left in the buffer is a line, too.
  void finish_line();
  // Reads and counts what is in the pipe now instead of writing it: the disk cannot keep up.
  void drop_backlog(int pipe);

  std::uint64_t dropped() const { return dropped_; }
  // The current folder is another one: goes on there with the next file.
  void move();
  void close();

 private:
  void take_lines(bool all);
  void write(const char* data, std::size_t size);
  void put(const char* data, std::size_t size);
  void rotate();
  bool open_newest();
  void drop(std::size_t size);

  char buffer_[kBuffer];
  std::size_t filled_ = 0;
  int fd_ = -1;
  std::uint64_t number_ = 0;  // of the file being written; 0: not known yet
  std::uint64_t size_ = 0;
  std::uint64_t max_bytes_ = 0;
  std::uint32_t files_ = 1;
  std::uint64_t dropped_ = 0;
};

}  // namespace azora::keeper
