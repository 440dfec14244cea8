#include "azora/keeper/program/log_file.hpp"

#include <errno.h>
#include <linux/stat.h>

#include "azora/keeper/log_mark.hpp"
#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/own_folder.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

// How many lines are lost with these bytes: a piece of a line counts as one, too.
std::uint64_t lines_in(const char* data, std::size_t size) {
  std::uint64_t lines = 0;
  for (std::size_t i = 0; i < size; ++i) lines += data[i] == '\n' ? 1 : 0;
  return lines == 0 && size > 0 ? 1 : lines;
}

bool ends_inside_line(int fd, std::uint64_t size) {
  char last = '\n';
  return size > 0 && sys::read_at(fd, &last, 1, size - 1) == 1 && last != '\n';
}

}  // namespace

std::size_t whole_lines(const char* data, std::size_t size) {
  while (size > 0 && data[size - 1] != '\n') --size;
  return size;
}

void LogFile::configure(std::uint64_t max_bytes, std::uint32_t files) {
  max_bytes_ = max_bytes == 0 ? 1 : max_bytes;
  files_ = files == 0 ? 1 : files;
}

void LogFile::append(const char* data, std::size_t size, std::int64_t at_ms) {
  while (size > 0) {
    if (const int error = make_ready()) return lose(data, size, error);
    const std::size_t part = fitting(data, size);
    if (part == 0) {
      rotate();
      continue;
    }
    int error = 0;
    const std::size_t kept = put(data, part, at_ms, &error);
    data += kept;
    size -= kept;
    if (kept == part) continue;
    // Our own limit of a file's size (ulimit -f) leaves room in the next one.
    if (error != EFBIG || size_ == 0) return lose(data, size, error);
    rotate();
  }
}

void LogFile::show(const char* data, std::size_t size, std::int64_t at_ms) {
  if (make_ready() != 0) return;  // nothing is lost yet: the line is still to come
  if (size > room()) {
    if (size_ == 0) return;
    rotate();
    if (make_ready() != 0 || size > room()) return;
  }
  std::size_t written = 0;
  write_rest(data, size, at_ms, &written);
  if (written == size) {
    shown_ = size;
  } else if (written > shown_) {
    sys::truncate(fd_, static_cast<long>(size_ + shown_));
  }
}

void LogFile::lose(const char* data, std::size_t size, int error) {
  if (size == 0) return;
  take_back();
  if (cut_) torn_ = true;
  cut_ = false;
  if (!loss_.goes_on) loss_ = {.since_wall_ms = sys::wall_ms(), .goes_on = true};
  const std::uint64_t lines = lines_in(data, size);
  loss_.lines += lines;
  loss_.bytes += size;
  loss_.error = error;
  dropped_ += lines;
}

void LogFile::end_line() {
  if (!cut_ || fd_ < 0) return;
  cut_ = false;
  torn_ = sys::write(fd_, "\n", 1) != 1;
  if (!torn_) ++size_;
}

// How much of `data` goes into this file. A line that would not even fit into an empty one is cut.
std::size_t LogFile::fitting(const char* data, std::size_t size) const {
  const std::uint64_t most_marks = max_bytes_ > kLeastIndex ? max_bytes_ : kLeastIndex;
  if (size_ > 0 && index_.size() >= most_marks) return 0;
  if (size <= room()) return size;
  const std::size_t part = whole_lines(data, static_cast<std::size_t>(room()));
  return part == 0 && size_ == 0 ? static_cast<std::size_t>(room()) : part;
}

std::uint64_t LogFile::room() const {
  const std::uint64_t used = size_ + (torn_ ? 1 : 0);
  return used < max_bytes_ ? max_bytes_ - used : 0;
}

// How much of it is in the file now. When the disk is full or broken, whole lines stay and a torn one is removed.
std::size_t LogFile::put(const char* data, std::size_t size, std::int64_t at_ms, int* error) {
  std::size_t written = 0;
  *error = write_rest(data, size, at_ms, &written);
  const std::size_t kept = written == size ? size : whole_lines(data, written);
  if (kept < written) sys::truncate(fd_, static_cast<long>(size_ + kept));
  size_ += kept;
  shown_ = 0;
  if (kept == 0) return 0;
  cut_ = data[kept - 1] != '\n';
  loss_.goes_on = false;
  return kept;
}

// Writes what of `data` is not shown yet, behind its mark. *written: how much of it then stands in the file.
int LogFile::write_rest(const char* data, std::size_t size, std::int64_t at_ms, std::size_t* written) {
  *written = shown_;
  if (torn_) {
    const long result = sys::write(fd_, "\n", 1);
    if (result != 1) return static_cast<int>(-result);
    ++size_;
    torn_ = false;
  }
  index_.mark(size_, at_ms, loss_.goes_on ? &loss_ : nullptr);
  while (*written < size) {
    const long result = sys::write(fd_, data + *written, size - *written);
    if (result == -EINTR) continue;
    if (result <= 0) return result < 0 ? static_cast<int>(-result) : ENOSPC;
    *written += static_cast<std::size_t>(result);
  }
  return 0;
}

void LogFile::take_back() {
  if (shown_ > 0 && fd_ >= 0) sys::truncate(fd_, static_cast<long>(size_));
  shown_ = 0;
}

void LogFile::rotate() {
  take_back();
  if (fd_ >= 0) sys::change_mode(fd_, kLogMode | kFullLogMark);  // readers see that another file follows
  close();
  ++number_;
  // More than one goes when a new launch allows fewer files.
  for (std::uint64_t old = number_ > files_ ? number_ - files_ : 0; old > 0; --old) {
    sys::unlink(Path(kLogPrefix, old, kTimesSuffix).c_str());
    if (sys::unlink(Path(kLogPrefix, old).c_str()) < 0) break;
  }
}

int LogFile::make_ready() { return fd_ >= 0 && is_in_place() ? 0 : open_newest(); }

// False: it was removed, moved away or replaced. We accept what others have added or cut off.
bool LogFile::is_in_place() {
  struct statx info;
  const Path path(kLogPrefix, number_);
  if (sys::status(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, &info) < 0 || info.stx_ino != inode_) return false;
  if (info.stx_size == size_ + shown_) return true;
  if (info.stx_size < size_ + shown_) index_.clear();
  size_ = info.stx_size;
  shown_ = 0;
  cut_ = false;
  torn_ = ends_inside_line(fd_, size_);
  return true;
}

// 0, or why it cannot be opened. The old file is closed only then: two that exist at one time differ in their inode.
int LogFile::open_newest() {
  if (number_ == 0) {  // a former shim of this service may have written here
    for_each_name(".", [this](const char* name) {
      const std::uint64_t number = log_number(name);
      if (number > number_) number_ = number;
    });
    if (number_ == 0) number_ = 1;
  }
  const Path path(kLogPrefix, number_);
  int fd = sys::open(path.c_str(), kLogFlags | O_APPEND, kLogMode);
  if (fd == -ENOENT && make_own_folder_anew()) fd = sys::open(path.c_str(), kLogFlags | O_APPEND, kLogMode);
  if (fd < 0) return -fd;
  struct statx info;
  if (sys::status(fd, "", AT_EMPTY_PATH, &info) < 0 || (info.stx_mode & S_IFMT) != S_IFREG) {
    sys::close(fd);
    return EEXIST;
  }
  close();
  fd_ = fd;
  inode_ = info.stx_ino;
  size_ = info.stx_size;
  torn_ = ends_inside_line(fd_, size_);
  index_.open(number_, size_);
  return 0;
}

void LogFile::move() {
  close();
  if (number_ > 0) ++number_;
}

void LogFile::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
  size_ = 0;
  shown_ = 0;
  cut_ = false;
  torn_ = false;
  index_.close();
}

}  // namespace azora::keeper
