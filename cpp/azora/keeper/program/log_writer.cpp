#include "azora/keeper/program/log_writer.hpp"

#include <errno.h>

#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {
namespace {

// Size up to and with the first newline of whole lines.
std::size_t first_line(const char* data, std::size_t size) {
  std::size_t end = 0;
  while (end < size && data[end] != '\n') ++end;
  return end < size ? end + 1 : size;
}

}  // namespace

LogWriter::Pumped LogWriter::pump(int pipe, int rounds) {
  Pumped result = Pumped::nothing;
  const std::int64_t now_ms = sys::wall_ms();
  for (; rounds > 0; --rounds) {
    const long got = sys::read(pipe, buffer_ + filled_, kBuffer - filled_);
    if (got == -EINTR) continue;
    if (got <= 0) return got == -EAGAIN ? result : Pumped::ended;
    if (filled_ == 0) begun_ms_ = now_ms;
    filled_ += static_cast<std::size_t>(got);
    take_lines(filled_ == kBuffer, now_ms);
    if (filled_ > 0) read_at_ns_ = sys::steady_ns();
    result = Pumped::some;
  }
  return result;
}

void LogWriter::show_unfinished() {
  shown_ = filled_;  // also when that fails: we never wait for a disk
  file_.show(buffer_, filled_, begun_ms_);
}

void LogWriter::finish_line() {
  if (filled_ == 0) return file_.end_line();
  if (filled_ < kBuffer) buffer_[filled_++] = '\n';
  take_lines(true, sys::wall_ms());
}

void LogWriter::drop_backlog(int pipe) {
  constexpr int kPipeRounds = 8;  // of kBuffer: what a pipe holds by default
  for (int i = 0; i < kPipeRounds; ++i) {
    const std::size_t lines = whole_lines(buffer_, filled_);
    const std::size_t size = lines == 0 && filled_ == kBuffer ? filled_ : lines;
    file_.lose(buffer_, size, 0);
    forget(size);
    const long got = sys::read(pipe, buffer_ + filled_, kBuffer - filled_);
    if (got <= 0) return;
    filled_ += static_cast<std::size_t>(got);
  }
}

// Writes the whole lines of the buffer, or all of it. The first one has the time at which it began.
void LogWriter::take_lines(bool all, std::int64_t now_ms) {
  std::size_t size = whole_lines(buffer_, filled_);
  if (size == 0 && all) size = filled_;
  if (size == 0) return;
  const std::size_t first = begun_ms_ != now_ms ? first_line(buffer_, size) : 0;
  file_.append(buffer_, first, begun_ms_);
  file_.append(buffer_ + first, size - first, now_ms);
  forget(size);
  begun_ms_ = now_ms;
}

// Moves what is behind the buffer's first `size` bytes to its start.
void LogWriter::forget(std::size_t size) {
  if (size == 0) return;
  __builtin_memmove(buffer_, buffer_ + size, filled_ - size);
  filled_ -= size;
  shown_ = 0;
}

}  // namespace azora::keeper
