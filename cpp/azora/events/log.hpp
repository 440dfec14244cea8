#pragma once
// The one event log: a gap-free sequence in two bounded memories, one for the last state events and one for the last
// health checks, so that checks never evict state events. All readers share the objects of state events. A check is a
// record of 32 bytes; each reader that wants it gets an Event made from it.
// Threads: append(), append_check(), add_name(), drop_name() and publish_turn() the control thread; cursors and the
// rest any thread. Readers hold a lock while they copy at most one batch of pointers and records, never while other
// code runs. The control thread does not wait for that lock, however long the scheduler suspends a reader: it leaves
// its events in an inbox, and the reader empties the inbox when it is done.
// Ownership: cursors hold the log; an event lives as long as its memory or a reader holds it.
// Fails: never; a reader that was too slow gets a `gap` event before the events that follow.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/mutex.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/base/time.hpp"
#include "azora/events/batch.hpp"
#include "azora/events/check_memory.hpp"
#include "azora/events/check_record.hpp"
#include "azora/events/filter.hpp"
#include "azora/events/reading.hpp"
#include "azora/events/state_memory.hpp"
#include "azora/model/event.hpp"

namespace azora::events {

struct Limits {
  std::size_t state_events = 65'536;   // about a day of a busy fleet
  std::size_t health_checks = 16'384;  // 0.5 MB; at most 65,535
};

class Cursor;

// What a former log of the same fleet left behind.
struct Former {
  std::vector<EventPtr> events;    // its last state events
  std::uint64_t lost_through = 0;  // state events up to this number are not among them
  std::uint64_t head = 0;          // its last number, as far as it is known; its checks are lost
  bool clean = true;               // it ended in order: nothing came after what is known
};

class EventLog : public std::enable_shared_from_this<EventLog> {
 public:
  explicit EventLog(Limits limits = {}, std::uint64_t first_seq = 1, Former former = {});
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Gives a state event the next number; readers see it after publish_turn().
  std::uint64_t append(Event event) AZORA_CONTROL;
  // The same for a health check. Its service has a name (add_name).
  std::uint64_t append_check(Check check) AZORA_CONTROL;
  // The id that readers see: add it before the first check of a service, drop it after the last one.
  void add_name(std::uint64_t serial, std::shared_ptr<const std::string> id) AZORA_CONTROL;
  void drop_name(std::uint64_t serial) AZORA_CONTROL;
  // The state events of this turn, which publish_turn() makes visible.
  const std::vector<EventPtr>& unpublished() const AZORA_CONTROL { return turn_->events; }
  // Makes this turn's events visible and wakes the readers that wait.
  void publish_turn() AZORA_CONTROL;
  // The newest number given (append side), and the newest visible number.
  std::uint64_t head() const { return next_seq_.load(std::memory_order_relaxed) - 1; }
  std::uint64_t visible() const { return visible_.load(std::memory_order_acquire); }

  // A reader of the events after `since`; nullopt: of events from now on.
  std::shared_ptr<Cursor> cursor(std::optional<std::uint64_t> since, Filter filter);
  std::uint64_t evicted() const;
  // How many turns a reader moved into the memories because it held the lock when they were published.
  std::uint64_t handed_over() const { return handed_over_.load(std::memory_order_relaxed); }

 private:
  friend class Cursor;
  using Readers = std::vector<std::shared_ptr<Cursor>>;
  void keep(Batch& batch) AZORA_REQUIRES(mutex_);
  // Moves published events into the memories, and adds the readers to wake once the lock is free.
  void take_in(Readers& to_wake) AZORA_REQUIRES(mutex_);
  // Wakes them and empties the list.
  static void wake(Readers& readers);
  // Called after giving up the lock, and by the writer: empties the inbox unless another thread is about to do so.
  void empty_inbox(Readers& readers);

  std::atomic<std::uint64_t> next_seq_;
  std::atomic<std::uint64_t> visible_;
  BatchPool pool_;
  std::unique_ptr<Batch> turn_ AZORA_OF_CONTROL;  // appended, but not published
  Readers woken_ AZORA_OF_CONTROL;                // empty between two turns; its capacity is kept
  std::atomic<Batch*> inbox_{nullptr};            // newest first
  std::atomic<std::uint64_t> handed_over_{0};
  mutable Mutex mutex_;
  StateMemory state_ AZORA_GUARDED_BY(mutex_);
  CheckMemory checks_ AZORA_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<Cursor>> cursors_ AZORA_GUARDED_BY(mutex_);
};

// One reader: a place in the log and a filter.
// Threads: drain() and wait() one thread at a time; close() any thread. Ownership: holds the log.
class Cursor {
 public:
  Cursor(std::shared_ptr<EventLog> log, std::uint64_t after, bool reset, Filter filter);
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // The next events that pass the filter, at most `limit`; empty if there are none now or the cursor is closed. A `gap`
  // comes before the events in its range and before those after it. Its number is the reader's place, so a reader that
  // begins there again loses nothing.
  std::vector<EventPtr> drain(std::size_t limit);
  // Waits until there may be events (true), close() (true) or the deadline (false).
  bool wait(Millis timeout);
  // Readable when there may be events; drain() makes it unreadable again.
  int fd() const { return fd_; }
  void close();
  bool closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  friend class EventLog;
  void wake();
  bool look(std::size_t limit, EventLog::Readers& readers);

  std::shared_ptr<EventLog> log_;
  Reading reading_;
  Found found_;  // empty between two calls; its capacity is kept
  bool reset_;   // the requested place is not in this log: a gap says so first
  int fd_;
  std::atomic<bool> signalled_{false};
  std::atomic<bool> closed_{false};
};

}  // namespace azora::events
