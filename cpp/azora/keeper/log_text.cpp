#include "azora/keeper/log_text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "azora/keeper/log_mark.hpp"
#include "azora/model/iso_time.hpp"
#include "azora/model/utf8.hpp"

namespace azora::keeper {
namespace {

constexpr std::size_t kMostAtOnce = 6;  // marks that are written together
constexpr std::size_t kMarksAtOnce = 4096;
constexpr std::int64_t kMostMs = 253'402'300'799'999;  // the end of the year 9999

LogMark mark_at(const Fd& index, std::uint64_t place) {
  LogMark mark{.place = ~std::uint64_t{0}};
  const std::string bytes = read_at(index, place * sizeof mark, sizeof mark);
  if (bytes.size() == sizeof mark) std::memcpy(&mark, bytes.data(), sizeof mark);
  return mark;
}

// The marks in [from, to), and the earlier marks that are still valid at `from`.
std::vector<LogMark> marks_of(const Fd& index, std::uint64_t from, std::uint64_t to) {
  std::vector<LogMark> marks;
  struct stat info {};
  if (!index || ::fstat(index.get(), &info) != 0) return marks;
  std::uint64_t low = 0;
  std::uint64_t high = static_cast<std::uint64_t>(info.st_size) / sizeof(LogMark);
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (mark_at(index, middle).offset() < from) low = middle + 1;
    else high = middle;
  }
  low -= std::min<std::uint64_t>(low, kMostAtOnce);
  for (;;) {
    const std::string bytes = read_at(index, low * sizeof(LogMark), kMarksAtOnce * sizeof(LogMark));
    const std::size_t count = bytes.size() / sizeof(LogMark);
    for (std::size_t i = 0; i < count; ++i) {
      LogMark mark;
      std::memcpy(&mark, bytes.data() + i * sizeof mark, sizeof mark);
      if (mark.offset() >= to) return marks;
      marks.push_back(mark);
    }
    if (count < kMarksAtOnce) return marks;
    low += count;
  }
}

void append_valid(std::string& text, std::string_view bytes) {
  if (is_utf8(bytes)) {
    text += bytes;
    return;
  }
  while (!bytes.empty()) {
    const std::size_t size = utf8_length(bytes);
    text += size > 0 ? bytes.substr(0, size) : kReplacementCharacter;
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
}

// What the marks read so far say.
struct Known {
  std::int64_t time_ms = 0;
  LogLoss loss;
};

// Takes one mark in; true: it completes a loss.
bool learn(Known& known, const LogMark& mark) {
  switch (mark.kind()) {
    case MarkKind::time: known.time_ms = mark.value; break;
    case MarkKind::lost_lines: known.loss.lines = static_cast<std::uint64_t>(mark.value); break;
    case MarkKind::lost_bytes: known.loss.bytes = static_cast<std::uint64_t>(mark.value); break;
    case MarkKind::lost_since: known.loss.since_wall_ms = mark.value; break;
    case MarkKind::lost_error: known.loss.error = static_cast<std::int32_t>(mark.value); return true;
  }
  return false;
}

}  // namespace

Fd open_log(const std::string& folder, std::uint64_t number, std::string_view suffix) {
  const std::string path = folder + "/" + kLogPrefix + std::to_string(number) + std::string(suffix);
  return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

std::string read_at(const Fd& file, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::pread(file.get(), text.data() + filled, size - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  text.resize(filled);
  return text;
}

std::size_t whole_lines(std::string_view bytes) {
  const std::size_t last = bytes.rfind('\n');
  return last == std::string_view::npos ? 0 : last + 1;
}

bool begins_line(const Fd& file, std::uint64_t offset) { return offset == 0 || read_at(file, offset - 1, 1) == "\n"; }

void LogText::add(const Fd& index, std::uint64_t offset, std::string_view bytes, bool begins) {
  if (bytes.empty()) return;
  const std::vector<LogMark> marks = marks_of(index, offset, offset + bytes.size());
  Known known;
  auto mark = marks.begin();
  for (std::size_t at = 0; at < bytes.size();) {
    for (; mark != marks.end() && mark->offset() <= offset + at; ++mark) {
      if (learn(known, *mark) && mark->offset() == offset + at) {
        // A second loss at one place: a write between them failed, and the later count includes the earlier one.
        if (!gaps_.empty() && gaps_.back().at == text_.size()) gaps_.pop_back();
        gaps_.push_back({text_.size(), known.loss, known.time_ms});
      } else if (mark->kind() == MarkKind::time && !gaps_.empty() && gaps_.back().at == text_.size()) {
        gaps_.back().until_wall_ms = mark->value;
      }
    }
    if (timestamps_ && begins) {
      text_ += known.time_ms > 0 && known.time_ms <= kMostMs ? iso_time(WallTime{known.time_ms}) : "-";
      text_ += ' ';
    }
    std::size_t end = bytes.size();
    if (timestamps_) {
      end = std::min(bytes.find('\n', at), bytes.size() - 1) + 1;
    } else {
      for (auto next = mark; next != marks.end(); ++next) {
        if (next->kind() != MarkKind::lost_error || next->offset() <= offset + at) continue;
        end = static_cast<std::size_t>(next->offset() - offset);
        break;
      }
    }
    append_valid(text_, bytes.substr(at, end - at));
    begins = bytes[end - 1] == '\n';
    at = end;
  }
}

}  // namespace azora::keeper
