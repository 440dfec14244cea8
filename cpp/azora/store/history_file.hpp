#pragma once
// DIR/history.db: past state events, an SQLite file beside the state file, so that damage to one is none to the other
// (docs/decisions/0027). Version 1 of its tables:
//   events(seq, time, type, entry, service, json), one row an event; indexed by (entry, seq) and by time
//   holes(first, last, count), events that were lost before they could be stored
//   mark(head, dropped, clean), one row: the newest number ever given, up to which number events were removed, and
//     whether the last writer ended in order
// WAL with synchronous=NORMAL: what is written survives the end of the program; sync() makes it survive a power cut.
// The layer "unix-excl" of SQLite keeps the index of the log in our own memory, where the connections of this program
// share it: no fault of the disk below a mapping can kill the program, and readers (history_reader.hpp) and the writer
// do not wait for each other.
// After a failure of any method the object is of no use. Threads: one at a time. Ownership: the connection.
// Fails: by Result, with storage_full or storage_failed; `damaged` says that the file must be replaced.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/base/time.hpp"
#include "azora/model/event.hpp"
#include "azora/store/history_query.hpp"
#include "azora/store/sqlite.hpp"

namespace azora::store {

using StoredEvent = std::shared_ptr<const Event>;

struct HistoryLimits {
  Millis max_age{30LL * 24 * 3600 * 1000};
  std::uint64_t max_bytes = std::uint64_t{64} << 20;
};

// How a file was left by the writer before.
struct HistoryMark {
  std::uint64_t last = 0;     // number of the newest event
  std::uint64_t head = 0;     // newest number that is known to have been given
  std::uint64_t dropped = 0;  // events up to this number were removed, lost or never here
  bool clean = true;          // its writer ended in order: nothing was lost at its end
};

class HistoryFile {
 public:
  static const char* layer() { return "unix-excl"; }

  // Opens the file, or makes it where it is missing or empty; a new one says that events up to `begins_after` are not
  // in it. `damaged` is set when a failure means that the file must be replaced.
  static Result<HistoryFile> open(const std::string& path, const char* vfs, std::uint64_t begins_after, bool& damaged);

  const HistoryMark& mark() const { return mark_; }
  // In one transaction.
  Result<void> write(std::span<const StoredEvent> events, const std::optional<Hole>& hole, std::uint64_t head);
  // Removes at most a small batch of what is too old or too much; true: there is more to remove.
  Result<bool> prune(const HistoryLimits& limits, WallTime now);
  // Makes durable what was written, and shortens the log.
  Result<void> sync();
  int log_pages() const { return connection_.log_pages(); }
  // The writer ends in order; never fails.
  void close_for_good(std::uint64_t head);
  bool is_damaged() const { return connection_.is_damaged(); }

 private:
  struct Statements {
    Statement put;
    Statement hole;
    Statement mark;
    Statement expire;
    Statement shrink;
    Statement forget;
  };

  HistoryFile(Connection connection, Statements statements, HistoryMark mark)
      : connection_(std::move(connection)), statements_(std::move(statements)), mark_(mark) {}
  static Result<Statements> prepare(Connection& connection);
  Result<void> put(const Event& event);
  Result<std::uint64_t> used_bytes();

  Connection connection_;
  std::optional<Statements> statements_;
  HistoryMark mark_;
};

// For `azora state check`: what is wrong with the file; empty: nothing.
std::vector<std::string> check_history(const std::string& path);
// The newest number that any event is known to have; 0: the file does not say.
std::uint64_t newest_number(const std::string& path);

}  // namespace azora::store
