#pragma once
// Past state events of a durable fleet, on the disk. The control thread hands each turn's events over and waits for
// nothing; az-store writes them before the records of that turn, so what was acknowledged has its events here when the
// program is killed. Readers have a connection of their own.
// - What waits is bounded (kMostWaiting). Beyond that the oldest are dropped and counted, and a hole says so.
// - A failure concerns the history alone: records are committed all the same, and az-store tries again every kRetry.
// - A damaged file is renamed (".damaged-" and the time) and a new one is begun; one of another program or of a newer
//   version is left as it is, and nothing is stored: trouble() says so.
// - Events that are too old or too much are removed in small batches, after others were written.
// Threads: add() the control thread, write(), tidy() and close() az-store, the rest any. Ownership: shared by az-store
// and readers; shares events with the log. Fails: page() by Result, with storage_failed; the rest by trouble().
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"
#include "azora/store/history_file.hpp"
#include "azora/store/history_query.hpp"
#include "azora/store/history_reader.hpp"

namespace azora::store {

struct HistoryOptions {
  HistoryLimits limits = {};
  std::string vfs = HistoryFile::layer();
  std::function<Now()> now;           // thread-safe
  std::uint64_t begins_after = 0;     // a new file holds no events up to this number
  std::size_t most_waiting = 16'384;  // events
};

class History {
 public:
  static constexpr Millis kRetry{1'000};
  static constexpr Millis kSync{1'000};  // until what was written survives a power cut
  static constexpr int kLongLog = 1'000;  // pages

  // Opens DIR/history.db. Waits for the disk. `folder` is locked for us.
  History(const std::string& folder, HistoryOptions options);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // How the file was left by a former orchestrator.
  const HistoryMark& former() const { return former_; }
  // Its newest events, oldest first.
  std::vector<PastEvent> newest(std::size_t count);

  // State events of one turn, in order.
  void add(const std::vector<StoredEvent>& events);
  // The newest number that was given to any event, checks included.
  void note_head(std::uint64_t head) { head_.store(head, std::memory_order_relaxed); }

  // Events wait, and it is time to write them.
  bool is_due() const;
  // How long az-store may wait before it calls tidy() again; nullopt: until is_due().
  std::optional<Millis> pause() const;
  void write();
  // What no one waits for: removes a batch of old events, makes written ones durable.
  void tidy();
  // Writes what waits and ends in order.
  void close();

  Result<HistoryPage> page(const HistoryQuery& query);
  // State events up to this number are in the file, or lost. Later ones may be in the log of events only.
  std::uint64_t through() const { return through_.load(std::memory_order_acquire); }
  std::string trouble() const;  // empty: none
  struct Counts {
    std::uint64_t stored = 0;
    std::uint64_t dropped = 0;
    std::uint64_t commits = 0;
    std::uint64_t waiting = 0;
  };
  Counts counts() const;

 private:
  // What waits for az-store.
  struct Inbox {
    std::deque<StoredEvent> events;
    std::optional<Hole> hole;  // events that were dropped
    std::string trouble;
    Counts counts;
  };
  // Of az-store alone.
  struct Writer {
    std::optional<HistoryFile> file;
    SteadyTime retry_at{};
    std::optional<SteadyTime> unsynced_since;
    bool prune = true;
  };

  void open_file();
  void set_aside();
  std::vector<StoredEvent> take(std::optional<Hole>& hole);
  void put_back(std::vector<StoredEvent> events, const std::optional<Hole>& hole);
  void bound() AZORA_REQUIRES(mutex_);
  void failed(const Error& error);

  const std::string path_;
  const HistoryOptions options_;
  HistoryMark former_;
  std::atomic<std::uint64_t> through_{0};
  std::atomic<std::uint64_t> head_{0};
  std::atomic<std::uint64_t> opened_{0};  // how many times a file was opened: readers follow
  Writer writer_;
  mutable Mutex mutex_;
  Inbox inbox_ AZORA_GUARDED_BY(mutex_);
  Mutex read_mutex_;
  std::optional<HistoryReader> reader_ AZORA_GUARDED_BY(read_mutex_);
  std::uint64_t reads_ AZORA_GUARDED_BY(read_mutex_) = 0;  // the file that reader_ has, by opened_
};

}  // namespace azora::store
