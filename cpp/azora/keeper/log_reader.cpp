#include "azora/keeper/log_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/keeper/log_mark.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {
namespace {

constexpr std::size_t kBlock = 64 * 1024;

std::uint64_t number_of(std::string_view name) {
  constexpr std::string_view kPrefix = kLogPrefix;
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
  return fault == std::errc{} && end == name.data() + name.size() ? number : 0;
}

// In the order in which they were written.
std::vector<std::uint64_t> files_in(const std::string& folder) {
  std::vector<std::uint64_t> numbers;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), ::closedir);
  if (!listing) return numbers;
  while (const dirent* entry = ::readdir(listing.get())) {
    if (const std::uint64_t number = number_of(&entry->d_name[0])) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::uint64_t size_of(const Fd& file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 && info.st_size > 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// `size`, or a little less when that would cut a character in two.
std::size_t at_character(std::string_view bytes) {
  constexpr std::size_t kLongest = 4;
  for (std::size_t back = 1; back < kLongest && back <= bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;                   // inside of a character
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? bytes.size() - back : bytes.size();
  }
  return bytes.size();
}

// Bytes without a line end that are too many to wait for one: they are given in pieces.
bool is_cut(std::string_view bytes) { return bytes.size() >= kBlock; }

// Where the last `*lines` lines of the first `end` bytes begin, not more than `room` bytes before; takes the lines
// found from `*lines`.
std::uint64_t start_of_lines(const Fd& file, std::uint64_t end, std::size_t* lines, std::size_t room) {
  // One byte more: a newline there makes what follows a whole line.
  const std::uint64_t lowest = end > room ? end - room - 1 : 0;
  std::uint64_t start = end;  // of the lines found so far
  std::uint64_t at = end;
  while (at > lowest && *lines > 0) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(kBlock, at - lowest));
    at -= size;
    const std::string block = read_at(file, at, size);
    for (std::size_t i = block.size(); i > 0 && *lines > 0; --i) {
      // The newline at `end` closes the last line; each one before it begins the line behind it.
      if (block[i - 1] != '\n' || at + i == end) continue;
      start = at + i;
      --*lines;
    }
  }
  if (*lines > 0 && end > 0 && end <= room) {
    start = 0;
    --*lines;
  }
  return start;
}

}  // namespace

std::vector<std::uint64_t> LogReader::files() const { return files_in(folder_); }

LogPart LogReader::tail(std::size_t lines, std::size_t max_bytes) const {
  lines = std::min(lines, kMostLines);
  max_bytes = std::min(max_bytes, kMostBytes);
  struct Piece {
    Fd index;
    std::uint64_t offset = 0;
    std::string bytes;
    bool begins = true;
  };
  std::vector<Piece> pieces;  // the last one first
  LogPart part;
  const std::vector<std::uint64_t> files = files_in(folder_);
  bool newest = true;
  for (auto number = files.rbegin(); number != files.rend(); ++number) {
    const Fd file = open_log(folder_, *number);
    if (!file) continue;  // rotated away meanwhile
    std::uint64_t end = size_of(file);
    if (newest) {
      // Back to the end of its last whole line; what is behind it is for the next read_from(), too.
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end, kBlock));
      const std::string block = read_at(file, end - size, size);
      std::size_t whole = block.size() == size ? whole_lines(block) : 0;
      if (whole == 0 && is_cut(block)) whole = at_character(block);
      end = end - size + whole;
      part.next = {*number, end};
      newest = false;
      add_unfinished(part, file, std::string_view(block).substr(whole));
      if (!part.unfinished.empty() && lines > 0) {
        --lines;
        max_bytes -= std::min(max_bytes, part.unfinished.size());
      }
    }
    if (lines == 0 || max_bytes == 0) break;
    const std::size_t wanted = lines;
    const std::uint64_t start = start_of_lines(file, end, &lines, max_bytes);
    pieces.push_back({open_log(folder_, *number, kTimesSuffix), start,
                      read_at(file, start, static_cast<std::size_t>(end - start)), begins_line(file, start)});
    max_bytes -= std::min(max_bytes, pieces.back().bytes.size());
    if (start > 0 || (wanted == lines && end > 0)) break;  // enough lines, or no room for another
  }
  LogText text(timestamps_);
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) {
    text.add(piece->index, piece->offset, piece->bytes, piece->begins && text.ends_with_line());
  }
  part.text = text.take_text();
  part.gaps = text.take_gaps();
  return part;
}

LogPart LogReader::read_from(LogCursor cursor, std::size_t max_bytes) const {
  max_bytes = std::clamp<std::size_t>(max_bytes, 1, kMostBytes);
  LogPart part{.next = cursor};
  LogText text(timestamps_);
  std::size_t given = 0;
  const std::vector<std::uint64_t> files = files_in(folder_);
  for (const std::uint64_t number : files) {
    if (number < cursor.file || given >= max_bytes) continue;
    const Fd file = open_log(folder_, number);
    if (!file) continue;
    if (number != part.next.file) {
      // Numbers have no holes: a step of more than one means files that went unread.
      part.missed |= part.next.file != 0 && number > part.next.file + 1;
      part.next = {number, 0};
    }
    if (part.next.offset > size_of(file)) part.next.offset = 0;  // another program emptied it
    const std::size_t room = max_bytes - given;
    std::string piece = read_at(file, part.next.offset, room);
    const bool full = piece.size() == room;
    const bool last = number == files.back();
    std::size_t kept = piece.size();
    if (full || last) {
      kept = whole_lines(piece);
      // A line longer than all the room: in pieces, rather than never.
      if (kept == 0 && ((full && given == 0) || is_cut(piece))) kept = std::max<std::size_t>(at_character(piece), 1);
    }
    if (kept > 0) {
      text.add(open_log(folder_, number, kTimesSuffix), part.next.offset, std::string_view(piece).substr(0, kept),
               begins_line(file, part.next.offset) && text.ends_with_line());
    }
    part.next.offset += kept;
    given += kept;
    if (full) break;
    if (last) add_unfinished(part, file, std::string_view(piece).substr(kept));
  }
  part.text = text.take_text();
  part.gaps = text.take_gaps();
  return part;
}

// Adds what stands behind part.next at the end of the newest file.
void LogReader::add_unfinished(LogPart& part, const Fd& file, std::string_view bytes) const {
  if (is_cut(bytes)) return;
  bytes = bytes.substr(0, at_character(bytes));  // the rest of a character may be on its way
  if (bytes.empty()) return;
  LogText text(timestamps_);
  const std::uint64_t offset = part.next.offset;
  text.add(open_log(folder_, part.next.file, kTimesSuffix), offset, bytes, begins_line(file, offset));
  part.unfinished = text.take_text();
  part.unfinished_gaps = text.take_gaps();
}

}  // namespace azora::keeper
