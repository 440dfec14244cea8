#include "azora/keeper/program/log_writer.hpp"

#include <errno.h>

#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {
namespace {

constexpr unsigned kPrivateFile = 0600;

// Size up to and with the last newline, 0 when there is none.
std::size_t whole_lines(const char* data, std::size_t size) {
  while (size > 0 && data[size - 1] != '\n') --size;
  return size;
}

// What dropping these bytes counts as: a piece of a line is one, too.
std::uint64_t lines_in(const char* data, std::size_t size) {
  std::uint64_t lines = 0;
  for (std::size_t i = 0; i < size; ++i) lines += data[i] == '\n' ? 1 : 0;
  return lines == 0 && size > 0 ? 1 : lines;
}

}  // namespace

void LogWriter::configure(std::uint64_t max_bytes, std::uint32_t files) {
  max_bytes_ = max_bytes == 0 ? 1 : max_bytes;
  files_ = files == 0 ? 1 : files;
}

LogWriter::Pumped LogWriter::pump(int pipe, int rounds) {
  Pumped result = Pumped::nothing;
  for (; rounds > 0; --rounds) {
    const long got = sys::read(pipe, buffer_ + filled_, kBuffer - filled_);
    if (got == -EINTR) continue;
    if (got <= 0) return got == -EAGAIN ? result : Pumped::ended;
    filled_ += static_cast<std::size_t>(got);
    take_lines(filled_ == kBuffer);
    result = Pumped::some;
  }
  return result;
}

void LogWriter::finish_line() {
  if (filled_ == 0) return;
  if (filled_ < kBuffer) buffer_[filled_++] = '\n';
  take_lines(true);
}

void LogWriter::drop_backlog(int pipe) {
  constexpr int kPipeRounds = 8;  // of kBuffer: what a pipe holds by default
  for (int i = 0; i < kPipeRounds; ++i) {
    const std::size_t lines = whole_lines(buffer_, filled_);
    drop(lines == 0 && filled_ == kBuffer ? filled_ : lines);
    const long got = sys::read(pipe, buffer_ + filled_, kBuffer - filled_);
    if (got <= 0) return;
    filled_ += static_cast<std::size_t>(got);
  }
}

// Writes the whole lines of the buffer, or all of it, and moves the rest to its start.
void LogWriter::take_lines(bool all) {
  std::size_t size = whole_lines(buffer_, filled_);
  if (size == 0 && all) size = filled_;
  if (size == 0) return;
  write(buffer_, size);
  __builtin_memmove(buffer_, buffer_ + size, filled_ - size);
  filled_ -= size;
}

void LogWriter::write(const char* data, std::size_t size) {
  while (size > 0) {
    if (fd_ < 0 && !open_newest()) {
      dropped_ += lines_in(data, size);
      return;
    }
    const std::uint64_t room = size_ < max_bytes_ ? max_bytes_ - size_ : 0;
    if (size <= room) return put(data, size);
    std::size_t part = whole_lines(data, static_cast<std::size_t>(room));
    // A line that would not even fit into an empty file is cut.
    if (part == 0 && size_ == 0) part = static_cast<std::size_t>(room);
    if (part == 0) {
      rotate();
      continue;
    }
    put(data, part);
    data += part;
    size -= part;
  }
}

void LogWriter::put(const char* data, std::size_t size) {
  const long result = sys::write(fd_, data, size);
  const std::size_t written = result > 0 ? static_cast<std::size_t>(result) : 0;
  if (written == size) {
    size_ += size;
    return;
  }
  // The disk is full or broken: keep the whole lines, take the torn one back.
  const std::size_t kept = whole_lines(data, written);
  if (kept < written) {
    sys::truncate(fd_, static_cast<long>(size_ + kept));
    sys::seek(fd_, static_cast<long>(size_ + kept), SEEK_SET);
  }
  size_ += kept;
  dropped_ += lines_in(data + kept, size - kept);
}

void LogWriter::rotate() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
  ++number_;
  size_ = 0;
  // More than one goes when a new launch allows fewer files.
  for (std::uint64_t old = number_ > files_ ? number_ - files_ : 0; old > 0; --old) {
    if (sys::unlink(Path(kLogPrefix, old).c_str()) < 0) break;
  }
}

bool LogWriter::open_newest() {
  if (number_ == 0) {  // a former shim of this service may have written here
    for_each_name(".", [this](const char* name) {
      const std::uint64_t number = log_number(name);
      if (number > number_) number_ = number;
    });
    if (number_ == 0) number_ = 1;
  }
  fd_ = sys::open(Path(kLogPrefix, number_).c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW, kPrivateFile);
  if (fd_ < 0) return false;
  const long end = sys::seek(fd_, 0, SEEK_END);
  size_ = end > 0 ? static_cast<std::uint64_t>(end) : 0;
  return true;
}

// Counts the lines of the buffer's first `size` bytes as dropped and moves the rest to its start.
void LogWriter::drop(std::size_t size) {
  dropped_ += lines_in(buffer_, size);
  __builtin_memmove(buffer_, buffer_ + size, filled_ - size);
  filled_ -= size;
}

void LogWriter::move() {
  close();
  if (number_ > 0) ++number_;
}

void LogWriter::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

}  // namespace azora::keeper
