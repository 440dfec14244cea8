#include "azora/keeper/program/log_index.hpp"

#include "azora/keeper/log_mark.hpp"
#include "azora/keeper/program/log_file.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {

void LogIndex::open(std::uint64_t number, std::uint64_t text_size) {
  close();
  number_ = number;
  open_file(text_size == 0);
}

void LogIndex::open_file(bool empty) {
  const Path path(kLogPrefix, number_, kTimesSuffix);
  fd_ = sys::open(path.c_str(), kLogFlags | (empty ? O_TRUNC : 0), kLogMode);
  const long end = fd_ >= 0 ? sys::seek(fd_, 0, SEEK_END) : 0;
  // Half a mark, left by a shim that was killed, is written over.
  size_ = end > 0 ? static_cast<std::uint64_t>(end) / sizeof(LogMark) * sizeof(LogMark) : 0;
}

void LogIndex::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
  size_ = 0;
  last_ms_ = -1;
  unmarked_from_ = kNone;
  pending_ = {};
}

void LogIndex::clear() {
  if (fd_ >= 0) sys::truncate(fd_, 0);
  size_ = 0;
  last_ms_ = -1;
  unmarked_from_ = kNone;
}

void LogIndex::mark(std::uint64_t offset, std::int64_t at_ms, const LogLoss* loss) {
  if (loss != nullptr) {
    pending_ = *loss;
    pending_at_ = offset;
  }
  if (pending_.lines == 0 && last_ms_ == at_ms) return;
  LogMark marks[6];
  std::size_t count = 0;
  if (unmarked_from_ < offset) marks[count++] = LogMark::make(MarkKind::time, unmarked_from_, 0);
  if (pending_.lines > 0) {
    const auto put = [&](MarkKind kind, std::int64_t value) {
      marks[count++] = LogMark::make(kind, pending_at_, value);
    };
    put(MarkKind::lost_lines, static_cast<std::int64_t>(pending_.lines));
    put(MarkKind::lost_bytes, static_cast<std::int64_t>(pending_.bytes));
    put(MarkKind::lost_since, pending_.since_wall_ms);
    put(MarkKind::lost_error, pending_.error);
  }
  marks[count++] = LogMark::make(MarkKind::time, offset, at_ms);
  const std::size_t bytes = count * sizeof(LogMark);
  if (fd_ < 0) open_file(false);
  if (fd_ < 0 || sys::write_at(fd_, marks, bytes, size_) != static_cast<long>(bytes)) {
    last_ms_ = -1;
    if (unmarked_from_ == kNone) unmarked_from_ = offset;
    return;
  }
  size_ += bytes;
  last_ms_ = at_ms;
  unmarked_from_ = kNone;
  pending_ = {};
}

}  // namespace azora::keeper
