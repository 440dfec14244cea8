#include "azora/keeper/log_reader.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/keeper/protocol.hpp"
#include "azora/model/utf8.hpp"

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

// Never by a link: what lies there is the shim's, and only files are.
Fd open_file(const std::string& folder, std::uint64_t number) {
  return Fd(::open((folder + "/" + kLogPrefix + std::to_string(number)).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

std::uint64_t size_of(const Fd& file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 && info.st_size > 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

bool is_removed(const Fd& file) {
  struct stat info {};
  return ::fstat(file.get(), &info) != 0 || info.st_nlink == 0;
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

std::string made_valid(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  std::string text;
  text.reserve(bytes.size() + 64);
  while (!bytes.empty()) {
    const std::size_t size = utf8_length(bytes);
    text += size > 0 ? bytes.substr(0, size) : kReplacementCharacter;
    bytes.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return text;
}

// How much of `bytes` ends with a line.
std::size_t whole_lines(std::string_view bytes) {
  const std::size_t last = bytes.rfind('\n');
  return last == std::string_view::npos ? 0 : last + 1;
}

// `size`, or a little less when that would cut a character in two.
std::size_t at_character(std::string_view bytes) {
  constexpr std::size_t kLongest = 4;
  for (std::size_t back = 1; back < kLongest && back < bytes.size(); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;                   // inside of a character
    const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? bytes.size() - back : bytes.size();
  }
  return bytes.size();
}

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

LogPart LogReader::tail(std::size_t lines, std::size_t max_bytes) const {
  lines = std::min(lines, kMostLines);
  max_bytes = std::min(max_bytes, kMostBytes);
  const std::vector<std::uint64_t> files = files_in(folder_);
  LogPart part;
  std::vector<std::string> pieces;
  bool newest = true;
  for (auto number = files.rbegin(); number != files.rend(); ++number) {
    const Fd file = open_file(folder_, *number);
    if (!file) continue;  // rotated away meanwhile
    std::uint64_t end = size_of(file);
    if (newest) {
      // Back to the end of its last whole line; what is behind it is for the next read_from().
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(end, kBlock));
      const std::string block = read_at(file, end - size, size);
      end = end - size + (block.size() == size ? whole_lines(block) : 0);
      part.next = {*number, end};
      newest = false;
    }
    if (lines == 0 || max_bytes == 0) break;
    const std::size_t wanted = lines;
    const std::uint64_t start = start_of_lines(file, end, &lines, max_bytes);
    pieces.push_back(read_at(file, start, static_cast<std::size_t>(end - start)));
    max_bytes -= std::min(max_bytes, pieces.back().size());
    if (start > 0 || (wanted == lines && end > 0)) break;  // enough lines, or no room for another
  }
  std::string bytes;
  for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) bytes += *piece;
  part.text = made_valid(bytes);
  return part;
}

LogPart LogReader::read_from(LogCursor cursor, std::size_t max_bytes) const {
  max_bytes = std::clamp<std::size_t>(max_bytes, 1, kMostBytes);
  LogPart part{.next = cursor};
  std::string bytes;
  const std::vector<std::uint64_t> files = files_in(folder_);
  for (const std::uint64_t number : files) {
    if (number < cursor.file || bytes.size() >= max_bytes) continue;
    const Fd file = open_file(folder_, number);
    if (!file) continue;
    if (number != part.next.file) {
      // Numbers have no holes: a step of more than one means files that went unread.
      part.missed |= part.next.file != 0 && number > part.next.file + 1;
      part.next = {number, 0};
    }
    const std::size_t room = max_bytes - bytes.size();
    std::string piece = read_at(file, part.next.offset, room);
    const bool full = piece.size() == room;
    const bool last = number == files.back();
    if (full || last) {
      std::size_t kept = whole_lines(piece);
      // A line longer than all the room: in pieces, rather than never.
      if (kept == 0 && full && bytes.empty()) kept = std::max<std::size_t>(at_character(piece), 1);
      piece.resize(kept);
    }
    part.next.offset += piece.size();
    bytes += piece;
    if (full) break;
  }
  part.text = made_valid(bytes);
  return part;
}

LogPart LogFollower::begin(const std::string& folder, std::size_t lines) {
  LogPart part = LogReader(folder).tail(lines);
  at_ = part.next;
  hold(folder);
  return part;
}

LogPart LogFollower::next(const std::string& folder) {
  std::string rest;
  if (file_ && is_removed(file_)) {
    rest = read_at(file_, at_.offset, LogReader::kMostBytes);
    at_.offset += rest.size();
    if (rest.size() < LogReader::kMostBytes) file_.reset();
  }
  if (file_ && !rest.empty()) return {.text = made_valid(rest), .next = at_};  // there is more of it
  LogPart part = LogReader(folder).read_from(at_);
  if (!rest.empty()) part.text.insert(0, made_valid(rest));
  at_ = part.next;
  hold(folder);
  ended_ = !file_ && ::access(folder.c_str(), F_OK) != 0;
  return part;
}

void LogFollower::hold(const std::string& folder) {
  if (at_.file == 0 || (file_ && file_number_ == at_.file)) return;
  file_ = open_file(folder, at_.file);
  file_number_ = at_.file;
}

}  // namespace azora::keeper
