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
  bool missed = std::exchange(missed_, false);
  if (finish_files(folder, before, missed)) {
    return {.text = before.take_text(), .next = at_, .gaps = before.take_gaps(), .missed = missed};
  }
  LogPart part = LogReader(folder, timestamps_).read_from(at_);
  std::string text = before.take_text();
  std::vector<LogGap> gaps = before.take_gaps();
  if (part.missed && !text.empty()) return {.text = std::move(text), .next = at_, .gaps = std::move(gaps), .missed = missed};
  part.missed |= missed;
  const bool moved_on = part.next.file != at_.file;
  at_ = part.next;
  hold(folder);
  ended_ = held_.empty() && ::access(folder.c_str(), F_OK) != 0;
  part.missed_after = ended_ && is_full_;
  if (ended_ || moved_on) is_full_ = false;

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

// Gives the whole lines that are left in files that are not in their place any more. True: there is more for the next
// call, since it does not fit, or since files are missing behind it. `missed`: files are missing before it.
bool LogFollower::finish_files(const std::string& folder, LogText& text, bool& missed) {
  std::size_t given = 0;
  while (!held_.empty() && is_elsewhere(held_.front().file, folder, held_.front().number)) {
    const Held& one = held_.front();
    at_.file = one.number;
    const std::size_t room = LogReader::kMostBytes - given;
    const std::string bytes = read_at(one.file, at_.offset, room);
    const bool full = bytes.size() == room;
    const bool last = held_.size() == 1;
    const std::size_t whole = whole_lines(bytes);
    // What stands behind the whole lines of a file that another one follows is a piece of a line that goes on there.
    const std::size_t kept = (whole == 0 && full) || (!full && !last) ? bytes.size() : whole;
    const bool begins = begins_line(one.file, at_.offset) && (given == 0 || text.ends_with_line());
    text.add(one.index, at_.offset, std::string_view(bytes).substr(0, kept), begins);
    at_.offset += kept;
    given += kept;
    if (full) return true;
    if (last) keep_rest(one, std::string_view(bytes).substr(kept));
    is_full_ = last && is_full(one.file);
    held_.erase(held_.begin());
    at_.offset = 0;  // another file of this number is read from its beginning
    if (last) return false;
    const bool hole = held_.front().number != at_.file + 1;
    at_.file = held_.front().number;
    if (!hole) continue;
    (given > 0 ? missed_ : missed) = true;
    if (given > 0) return true;
  }
  return false;
}

void LogFollower::keep_rest(const Held& one, std::string_view bytes) {
  LogText rest(timestamps_);
  rest.add(one.index, at_.offset, bytes, begins_line(one.file, at_.offset));
  rest_ = rest.take_text();
  rest_gaps_ = rest.take_gaps();
}

void LogFollower::hold_new(const std::string& folder) {
  if (held_.empty() && at_.file != 0) return;  // what comes now is found by next()
  for (Held& one : held_) {
    if (!one.index) one.index = open_log(folder, one.number, kTimesSuffix);  // it is made after its file
  }
  for (const std::uint64_t number : LogReader(folder).files()) {
    if (held_.size() >= kMostHeld) return;
    if (!held_.empty() && number <= held_.back().number) continue;
    Fd file = open_log(folder, number);
    if (file) held_.push_back({number, std::move(file), open_log(folder, number, kTimesSuffix)});
  }
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

// Holds the file that is read now and lets go of those before it.
void LogFollower::hold(const std::string& folder) {
  while (!held_.empty() && held_.front().number < at_.file) held_.erase(held_.begin());
  if (at_.file == 0) return;
  if (held_.empty() || held_.front().number != at_.file) {
    Fd file = open_log(folder, at_.file);
    if (file) held_.insert(held_.begin(), Held{at_.file, std::move(file), {}});
  }
  if (!held_.empty() && !held_.front().index) held_.front().index = open_log(folder, held_.front().number, kTimesSuffix);
}

}  // namespace azora::keeper
