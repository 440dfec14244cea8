#include "azora/store/history.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iterator>
#include <utility>

#include "azora/base/check.hpp"
#include "azora/model/iso_time.hpp"
#include "azora/store/log_file.hpp"
#include "azora/store/state_folder.hpp"

namespace azora::store {
namespace {

constexpr std::size_t kTransaction = 4'096;  // events

}  // namespace

History::History(const std::string& folder, HistoryOptions options)
    : path_(folder + "/history.db"), options_(std::move(options)) {
  open_file();
  former_ = writer_.file ? writer_.file->mark() : HistoryMark{.dropped = options_.begins_after, .clean = false};
  through_ = former_.last;
  head_ = std::max(former_.head, options_.begins_after);
}

History::~History() = default;

void History::open_file() {
  bool damaged = false;
  const std::uint64_t begins_after = std::max(options_.begins_after, through());
  Result<HistoryFile> file = HistoryFile::open(path_, options_.vfs.c_str(), begins_after, damaged);
  if (!file && damaged) {
    set_aside();
    file = HistoryFile::open(path_, options_.vfs.c_str(), begins_after, damaged);
  }
  if (!file) return failed(file.error());
  writer_.file = std::move(file).value();
  writer_.prune = true;
  opened_.fetch_add(1, std::memory_order_release);
}

// The damaged file is kept, and so is its log.
void History::set_aside() {
  std::string time = iso_time(options_.now().wall);
  std::erase_if(time, [](char one) { return one == '-' || one == ':' || one == '.'; });
  const std::string kept = path_ + ".damaged-" + time;
  for (const auto& [from, to] : {std::pair(path_, kept), std::pair(log_path(path_), log_path(kept))}) {
    (void)std::rename(from.c_str(), to.c_str());  // the next opening says what is wrong
  }
}

void History::failed(const Error& error) {
  const bool damaged = writer_.file && writer_.file->is_damaged();
  writer_.file.reset();
  if (damaged) set_aside();
  writer_.unsynced_since.reset();
  writer_.retry_at = options_.now().steady + kRetry;
  MutexLock lock(mutex_);
  inbox_.trouble = error.message;
}

std::vector<PastEvent> History::newest(std::size_t count) {
  MutexLock lock(read_mutex_);
  if (opened_.load(std::memory_order_acquire) == 0) return {};
  Result<HistoryReader> reader = HistoryReader::open(path_, options_.vfs.c_str());
  if (!reader) return {};
  Result<std::vector<PastEvent>> events = reader.value().newest(count);
  return events ? std::move(events).value() : std::vector<PastEvent>();
}

void History::add(const std::vector<StoredEvent>& events) {
  if (events.empty()) return;
  MutexLock lock(mutex_);
  inbox_.events.insert(inbox_.events.end(), events.begin(), events.end());
  bound();
}

// The oldest go first: what is dropped lies directly behind what is stored, so one hole covers it.
void History::bound() {
  while (inbox_.events.size() > options_.most_waiting) {
    const std::uint64_t seq = inbox_.events.front()->seq;
    inbox_.events.pop_front();
    if (!inbox_.hole) inbox_.hole = Hole{.first = seq, .last = seq, .count = 0};
    inbox_.hole->first = std::min(inbox_.hole->first, seq);
    inbox_.hole->last = std::max(inbox_.hole->last, seq);
    ++inbox_.hole->count;
    ++inbox_.counts.dropped;
  }
}

std::vector<StoredEvent> History::take(std::optional<Hole>& hole) {
  MutexLock lock(mutex_);
  const std::size_t count = std::min(inbox_.events.size(), kTransaction);
  const auto end = inbox_.events.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<StoredEvent> taken(std::make_move_iterator(inbox_.events.begin()), std::make_move_iterator(end));
  inbox_.events.erase(inbox_.events.begin(), end);
  hole = std::exchange(inbox_.hole, std::nullopt);
  return taken;
}

void History::put_back(std::vector<StoredEvent> events, const std::optional<Hole>& hole) {
  MutexLock lock(mutex_);
  inbox_.events.insert(inbox_.events.begin(), std::make_move_iterator(events.begin()), std::make_move_iterator(events.end()));
  if (hole && inbox_.hole) {
    inbox_.hole->first = hole->first;
    inbox_.hole->count += hole->count;
  } else if (hole) {
    inbox_.hole = hole;
  }
  bound();
}

bool History::is_due() const {
  {
    MutexLock lock(mutex_);
    if (inbox_.events.empty()) return false;
  }
  return writer_.file.has_value() || options_.now().steady >= writer_.retry_at;
}

std::optional<Millis> History::pause() const {
  const SteadyTime now = options_.now().steady;
  const auto until = [now](SteadyTime due) { return std::max(to_millis(due - now), Millis{1}); };
  if (!writer_.file) {
    MutexLock lock(mutex_);
    if (inbox_.events.empty()) return std::nullopt;
    return until(writer_.retry_at);
  }
  if (writer_.prune) return Millis{1};
  if (writer_.unsynced_since) return until(*writer_.unsynced_since + kSync);
  return std::nullopt;
}

void History::write() {
  while (is_due()) {
    if (!writer_.file) open_file();
    if (!writer_.file) return;
    std::optional<Hole> hole;
    std::vector<StoredEvent> events = take(hole);
    const std::uint64_t last = events.back()->seq;
    const Result<void> written = writer_.file->write(events, hole, std::max(last, head_.load(std::memory_order_relaxed)));
    if (!written) {
      put_back(std::move(events), hole);
      return failed(written.error());
    }
    through_.store(last, std::memory_order_release);
    writer_.prune = true;
    if (!writer_.unsynced_since) writer_.unsynced_since = options_.now().steady;
    MutexLock lock(mutex_);
    inbox_.counts.stored += events.size();
    ++inbox_.counts.commits;
    inbox_.trouble.clear();
  }
}

void History::tidy() {
  if (!writer_.file) return;
  if (writer_.prune) {
    const Result<bool> more = writer_.file->prune(options_.limits, options_.now().wall);
    if (!more) return failed(more.error());
    writer_.prune = more.value();
  }
  const bool late = writer_.unsynced_since && options_.now().steady >= *writer_.unsynced_since + kSync;
  if (!late && writer_.file->log_pages() < kLongLog) return;
  if (Result<void> synced = writer_.file->sync(); !synced) return failed(synced.error());
  writer_.unsynced_since.reset();
}

void History::close() {
  {
    MutexLock lock(read_mutex_);
    reader_.reset();
  }
  writer_.retry_at = {};  // one last attempt
  write();
  if (writer_.file) writer_.file->close_for_good(head_.load(std::memory_order_relaxed));
  writer_.file.reset();
}

Result<HistoryPage> History::page(const HistoryQuery& query) {
  MutexLock lock(read_mutex_);
  const std::uint64_t opened = opened_.load(std::memory_order_acquire);
  if (opened == 0) return Error{ErrorCode::storage_failed, "the history cannot be read: " + trouble(), {}};
  if (!reader_ || reads_ != opened) {
    reader_.reset();
    Result<HistoryReader> reader = HistoryReader::open(path_, options_.vfs.c_str());
    if (!reader) return std::move(reader).error();
    reader_ = std::move(reader).value();
    reads_ = opened;
  }
  Result<HistoryPage> page = reader_->page(query);
  if (!page) reader_.reset();
  return page;
}

std::string History::trouble() const {
  MutexLock lock(mutex_);
  return inbox_.trouble;
}

History::Counts History::counts() const {
  MutexLock lock(mutex_);
  Counts counts = inbox_.counts;
  counts.waiting = inbox_.events.size();
  return counts;
}

}  // namespace azora::store
