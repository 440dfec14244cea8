#include "azora/keeper/log_follower.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "azora/keeper/log_mark.hpp"

namespace azora::keeper {
namespace {

// True: the file was removed, moved away or replaced by another.
bool is_elsewhere(const Fd& file, const std::string& folder, std::uint64_t number) {
  struct stat held {};
  struct stat there {};
  const std::string path = folder + "/" + kLogPrefix + std::to_string(number);
  return ::fstat(file.get(), &held) != 0 || ::lstat(path.c_str(), &there) != 0 || held.st_ino != there.st_ino ||
         held.st_dev != there.st_dev;
}

bool is_full(const Fd& file) {
  struct stat held {};
  return ::fstat(file.get(), &held) == 0 && (held.st_mode & kFullLogMark) != 0;
}

void hide_unfinished(LogPart& part) {
  part.unfinished.clear();
  part.unfinished_gaps.clear();
}

void append_gaps(std::vector<LogGap>& all, std::vector<LogGap> more, std::size_t offset) {
  for (LogGap& gap : more) {
    gap.at += offset;
    all.push_back(gap);
  }
}

}  // namespace

LogPart LogFollower::begin(const std::string& folder, std::size_t lines, std::size_t max_bytes) {
  LogPart part = LogReader(folder, timestamps_).tail(lines, max_bytes);
  given_ = part.unfinished;
  if (lines == 0) hide_unfinished(part);
  at_ = part.next;
  hold(folder);
  return part;
}

LogPart LogFollower::next(const std::string& folder) {
  LogText before(timestamps_);
  if (finish_file(folder, before)) return {.text = before.take_text(), .next = at_, .gaps = before.take_gaps()};
  LogPart part = LogReader(folder, timestamps_).read_from(at_);
  const bool moved_on = part.next.file != at_.file;
  at_ = part.next;
  hold(folder);
  ended_ = !file_ && ::access(folder.c_str(), F_OK) != 0;
  part.missed_after = ended_ && is_full_;
  if (ended_ || moved_on) is_full_ = false;

  std::string text = before.take_text();
  std::vector<LogGap> gaps = before.take_gaps();
  if (!rest_.empty() && (ended_ || moved_on || !part.text.empty())) {
    // The next file repeats as a whole what was only shown here; it does not repeat a piece of a line that was cut.
    const bool again = part.text.starts_with(rest_) || part.unfinished.starts_with(rest_);
    if (ended_ || (moved_on && !again)) {
      append_gaps(gaps, std::move(rest_gaps_), text.size());
      text += rest_;
    }
    rest_.clear();
    rest_gaps_.clear();
  }
  append_gaps(gaps, std::move(part.gaps), text.size());
  part.gaps = std::move(gaps);
  part.text.insert(0, text);
  hold_back_unfinished(part);
  return part;
}

// Gives the whole lines that are left in a file that is not in its place any more. True: there is more than fits.
bool LogFollower::finish_file(const std::string& folder, LogText& text) {
  if (!file_ || !is_elsewhere(file_, folder, file_number_)) return false;
  const std::string bytes = read_at(file_, at_.offset, LogReader::kMostBytes);
  const bool full = bytes.size() == LogReader::kMostBytes;
  const std::size_t whole = whole_lines(bytes);
  const std::size_t kept = whole == 0 && full ? bytes.size() : whole;
  text.add(index_, at_.offset, std::string_view(bytes).substr(0, kept), begins_line(file_, at_.offset));
  at_.offset += kept;
  if (full) return true;
  LogText rest(timestamps_);
  rest.add(index_, at_.offset, std::string_view(bytes).substr(kept), begins_line(file_, at_.offset));
  rest_ = rest.take_text();
  rest_gaps_ = rest.take_gaps();
  is_full_ = is_full(file_);
  at_.offset = 0;  // another file of this number is read from its beginning
  file_.reset();
  index_.reset();
  return false;
}

void LogFollower::hold_back_unfinished(LogPart& part) {
  if (!part.text.empty()) given_.clear();
  const bool silent = part.text.empty() && part.unfinished == seen_;
  seen_ = part.unfinished;
  if (silent && seen_ != given_) {
    given_ = seen_;
  } else {
    hide_unfinished(part);
  }
}

void LogFollower::hold(const std::string& folder) {
  if (at_.file == 0) return;
  const bool other = !file_ || file_number_ != at_.file;
  if (other) file_ = open_log(folder, at_.file);
  if (other || !index_) index_ = open_log(folder, at_.file, kTimesSuffix);
  file_number_ = at_.file;
}

}  // namespace azora::keeper
