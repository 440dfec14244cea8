#include "azora/store/history_reader.hpp"

#include <algorithm>
#include <utility>

#include "azora/model/event.hpp"
#include "azora/model/service_name.hpp"

namespace azora::store {
namespace {

constexpr int kExamined = 20'000;  // events of one page

std::uint64_t number_of(const Statement& row, int column) { return static_cast<std::uint64_t>(row.number(column)); }

bool wants(const HistoryQuery& query, const Statement& row) {
  const std::int64_t time = row.number(1);
  if ((query.since && time < query.since->ms) || (query.until && time >= query.until->ms)) return false;
  const std::optional<EventType> type = event_type_from_wire(row.bytes(2));
  if (!type || (query.types & (std::uint32_t{1} << static_cast<unsigned>(*type))) == 0) return false;
  return query.service.empty() || names_service(query.service, row.bytes(3));
}

}  // namespace

Result<HistoryReader> HistoryReader::open(const std::string& path, const char* vfs) {
  Result<Connection> connection = Connection::open(path, vfs);
  if (!connection) return std::move(connection).error();
  if (Result<void> set = connection.value().run("PRAGMA query_only=1; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;"); !set) {
    return std::move(set).error();
  }
  return HistoryReader(std::move(connection).value());
}

// Times do not grow with the numbers where a clock was set back. So they only narrow the numbers down, by the index, and
// each event is compared, too.
Result<HistoryReader::Bounds> HistoryReader::bounds_of(const HistoryQuery& query) {
  Bounds bounds{query.after, std::min(query.before, HistoryQuery::kNoEnd)};
  if (query.since) {
    const std::string time = std::to_string(query.since->ms);
    const Result<std::int64_t> first = connection_.number("SELECT coalesce(min(seq), 0) FROM events WHERE time >= " + time);
    if (!first) return first.error();
    if (first.value() == 0) return Bounds{query.after, query.after};
    bounds.after = std::max(bounds.after, static_cast<std::uint64_t>(first.value()) - 1);
  }
  if (query.until) {
    const std::string time = std::to_string(query.until->ms);
    const Result<std::int64_t> last = connection_.number("SELECT coalesce(max(seq), 0) FROM events WHERE time < " + time);
    if (!last) return last.error();
    bounds.before = std::min(bounds.before, static_cast<std::uint64_t>(last.value()) + 1);
  }
  return bounds;
}

Result<HistoryPage> HistoryReader::page(const HistoryQuery& query) {
  if (Result<void> begun = connection_.run("BEGIN"); !begun) return std::move(begun).error();
  const Result<Bounds> bounds = bounds_of(query);
  if (!bounds) return bounds.error();
  HistoryPage page;
  if (Result<void> read = read_events(query, bounds.value(), page); !read) return std::move(read).error();
  if (Result<void> read = read_holes(query, page); !read) return std::move(read).error();
  if (Result<void> ended = connection_.run("COMMIT"); !ended) return std::move(ended).error();
  return page;
}

Result<void> HistoryReader::read_events(const HistoryQuery& query, const Bounds& bounds, HistoryPage& page) {
  page.through = query.before - 1;
  if (bounds.after + 1 >= bounds.before) return {};
  const std::string_view sql = query.service.empty()
                                   ? "SELECT seq, time, type, service, json FROM events WHERE seq > ?1 AND seq < ?2 ORDER BY seq"
                                   : "SELECT seq, time, type, service, json FROM events INDEXED BY events_by_entry"
                                     " WHERE entry = ?3 AND seq > ?1 AND seq < ?2 ORDER BY seq";
  Result<Statement> prepared = connection_.prepare(sql);
  if (!prepared) return std::move(prepared).error();
  Statement& row = prepared.value();
  row.bind(1, static_cast<std::int64_t>(bounds.after)).bind(2, static_cast<std::int64_t>(bounds.before));
  if (!query.service.empty()) row.bind(3, entry_of(query.service));
  std::uint64_t last = bounds.after;
  for (int examined = 0;; ++examined) {
    const Result<bool> there = row.step();
    if (!there) return there.error();
    if (!there.value()) return {};
    if (examined == kExamined || page.events.size() == query.limit) {
      page.more = true;
      page.through = last;
      return {};
    }
    last = number_of(row, 0);
    if (wants(query, row)) page.events.push_back({last, std::string(row.bytes(4))});
  }
}

Result<void> HistoryReader::read_holes(const HistoryQuery& query, HistoryPage& page) {
  Result<Statement> prepared =
      connection_.prepare("SELECT first, last, count FROM holes WHERE last > ?1 AND first <= ?2 ORDER BY first");
  if (!prepared) return std::move(prepared).error();
  Statement& row = prepared.value();
  row.bind(1, static_cast<std::int64_t>(query.after)).bind(2, static_cast<std::int64_t>(page.through));
  for (;;) {
    const Result<bool> there = row.step();
    if (!there) return there.error();
    if (!there.value()) return {};
    page.holes.push_back({number_of(row, 0), number_of(row, 1), number_of(row, 2)});
  }
}

Result<std::vector<PastEvent>> HistoryReader::newest(std::size_t count) {
  std::vector<PastEvent> events;
  Result<Statement> prepared = connection_.prepare("SELECT seq, json FROM events ORDER BY seq DESC LIMIT ?1");
  if (!prepared) return std::move(prepared).error();
  Statement& row = prepared.value();
  row.bind(1, static_cast<std::int64_t>(count));
  for (;;) {
    const Result<bool> there = row.step();
    if (!there) return there.error();
    if (!there.value()) break;
    events.push_back({number_of(row, 0), std::string(row.bytes(1))});
  }
  std::reverse(events.begin(), events.end());
  return events;
}

}  // namespace azora::store
