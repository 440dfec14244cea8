#pragma once
// Pages of past events, over a connection of its own that only reads: it sees what was committed when a page began,
// while the writer goes on. A page examines a bounded number of events, so it holds up neither its caller nor the
// writer's log for long; a page may therefore be short although there are more.
// Threads: one at a time. Ownership: the connection. Fails: by Result, with storage_failed; then it is of no use.
#include <string>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/store/history_query.hpp"
#include "azora/store/sqlite.hpp"

namespace azora::store {

class HistoryReader {
 public:
  // Of a file that has its tables.
  static Result<HistoryReader> open(const std::string& path, const char* vfs);

  Result<HistoryPage> page(const HistoryQuery& query);
  // The newest events, oldest first, at most so many.
  Result<std::vector<PastEvent>> newest(std::size_t count);

 private:
  struct Bounds {
    std::uint64_t after = 0;
    std::uint64_t before = 0;
  };

  explicit HistoryReader(Connection connection) : connection_(std::move(connection)) {}
  Result<Bounds> bounds_of(const HistoryQuery& query);
  Result<void> read_events(const HistoryQuery& query, const Bounds& bounds, HistoryPage& page);
  Result<void> read_holes(const HistoryQuery& query, HistoryPage& page);

  Connection connection_;
};

}  // namespace azora::store
