#pragma once
// The one event log: a gap-free sequence in two bounded memories, the last state events and, apart, the last
// health checks, so that checks never evict what matters (semantics 33).
// Threads: append() and publish_turn() on the control thread; cursors and the rest on any thread. Readers hold a lock
// for the copying of at most one batch of pointers, never while other code runs, and the control thread does not wait
// for it, however long the scheduler keeps a reader off the processor: what it publishes meanwhile lies in an inbox,
// which the reader empties when it is done.
// Ownership: cursors hold the log; an event lives as long as its memory or a reader holds it.
// Fails: never; what a slow reader lost is told to it as a `gap` event.
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/mutex.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/base/time.hpp"
#include "azora/model/event.hpp"
#include "azora/model/service_name.hpp"

namespace azora::events {

using EventPtr = std::shared_ptr<const Event>;

struct Limits {
  std::size_t state_events = 65'536;   // about a day of a busy fleet
  std::size_t health_checks = 16'384;
};

// Which events a reader wants. Default: all.
struct Filter {
  std::uint32_t types = ~std::uint32_t{0};  // bit per EventType
  std::string service;                      // of a service, or of an entry: all its instances; empty: any
  void only(EventType type) {
    if (types == ~std::uint32_t{0}) types = 0;
    types |= std::uint32_t{1} << static_cast<unsigned>(type);
  }
  bool wants(EventType type) const { return (types >> static_cast<unsigned>(type)) & 1U; }
  bool wants(const Event& event) const {
    return wants(event.type) && (service.empty() || (event.service_id && names_service(service, *event.service_id)));
  }
};

class Cursor;

class EventLog : public std::enable_shared_from_this<EventLog> {
 public:
  explicit EventLog(Limits limits = {}, std::uint64_t first_seq = 1);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Gives the event the next number; readers see it after publish_turn().
  std::uint64_t append(Event event) AZORA_CONTROL;
  // Makes this turn's events visible and wakes the readers that wait.
  void publish_turn() AZORA_CONTROL;
  // Newest number given (append side) and newest visible.
  std::uint64_t head() const { return next_seq_.load(std::memory_order_relaxed) - 1; }
  std::uint64_t visible() const { return visible_.load(std::memory_order_acquire); }

  // A reader of what comes after `since`; nullopt: of what comes from now on.
  std::shared_ptr<Cursor> cursor(std::optional<std::uint64_t> since, Filter filter);
  std::uint64_t evicted() const;
  // Turns that a reader had to take in, as it held the lock when they were published.
  std::uint64_t handed_over() const { return handed_over_.load(std::memory_order_relaxed); }

 private:
  friend class Cursor;
  // A turn on its way into the memories.
  struct Batch {
    std::vector<EventPtr> events;
    Batch* older = nullptr;
  };
  using Readers = std::vector<std::shared_ptr<Cursor>>;
  struct Memory {
    std::deque<EventPtr> events;
    std::uint64_t evicted_through = 0;  // number of the newest event that was dropped from here
    std::uint64_t evicted = 0;
  };
  void keep(Memory& memory, EventPtr event, std::size_t limit) AZORA_REQUIRES(mutex_);
  // Empties the inbox; answers whom to wake once the lock is free.
  Readers take_in() AZORA_REQUIRES(mutex_);
  static void wake(const Readers& readers);
  // After the lock was given up, and by the writer: nothing is left in the inbox that nobody would take in.
  void settle();

  Limits limits_;
  std::atomic<std::uint64_t> next_seq_;
  std::atomic<std::uint64_t> visible_;
  std::vector<EventPtr> turn_ AZORA_OF_CONTROL;  // appended, not published yet
  std::atomic<Batch*> inbox_{nullptr};  // newest first
  std::atomic<std::uint64_t> handed_over_{0};
  mutable Mutex mutex_;
  Memory state_ AZORA_GUARDED_BY(mutex_);
  Memory checks_ AZORA_GUARDED_BY(mutex_);
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

  // The next events that pass the filter, at most `limit`; empty when there are none now or it is closed.
  std::vector<EventPtr> drain(std::size_t limit);
  // Until something may be there (true), close() (true) or the deadline (false).
  bool wait(Millis timeout);
  // Readable when something may be there; drain() makes it unreadable again.
  int fd() const { return fd_; }
  void close();
  bool closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  friend class EventLog;
  void wake();
  bool look(std::vector<EventPtr>& out, std::size_t limit, EventLog::Readers& readers);

  std::shared_ptr<EventLog> log_;
  Filter filter_;
  std::uint64_t after_;   // everything up to this number was delivered or did not pass
  std::uint64_t gap_from_ = 0;       // first lost number not told yet; 0: none
  std::uint64_t passed_in_gap_ = 0;  // what was still there among the lost
  bool reset_;            // the place asked for is not of this log: tell first
  int fd_;
  std::atomic<bool> signalled_{false};
  std::atomic<bool> closed_{false};
};

}  // namespace azora::events
