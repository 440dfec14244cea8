#include "azora/store/history_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "azora/base/fd.hpp"
#include "azora/model/service_name.hpp"
#include "azora/store/state_schema.hpp"

namespace azora::store {
namespace {

constexpr std::int64_t kApplicationId = 0x417a4869;  // "AzHi"
constexpr std::int64_t kBatch = 500;                 // rows that are removed at a time

Result<void> make_version_1(Connection& connection) {
  return connection.run(
      "CREATE TABLE events(seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, type BLOB NOT NULL, entry BLOB NOT NULL,"
      " service BLOB NOT NULL, json BLOB NOT NULL) STRICT;"
      "CREATE INDEX events_by_entry ON events(entry, seq);"
      "CREATE INDEX events_by_time ON events(time);"
      "CREATE TABLE holes(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;"
      "CREATE TABLE mark(one INTEGER PRIMARY KEY CHECK(one = 1), head INTEGER NOT NULL, dropped INTEGER NOT NULL,"
      " clean INTEGER NOT NULL) STRICT;"
      "INSERT INTO mark VALUES(1, 0, 0, 1);"
      "PRAGMA application_id = 1098532969;");
}

static_assert(kApplicationId == 1098532969);

constexpr std::array kMigrations{Migration{make_version_1}};

Result<void> make_empty(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_error(path, "cannot be opened", errno);
  if (::fchmod(file.get(), 0600) < 0) return system_error(path, "its mode cannot be set", errno);
  return {};
}

Result<void> set_up(Connection& connection) {
  if (Result<void> set = connection.run("PRAGMA synchronous=NORMAL; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;"
                                        "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=4194304; PRAGMA page_size=4096;");
      !set) {
    return set;
  }
  const Result<std::string> mode = connection.string("PRAGMA journal_mode=WAL");
  if (!mode) return mode.error();
  if (mode.value() != "wal") return file_error(connection.path(), "cannot have a write-ahead log here");
  return {};
}

// True: it has no tables yet.
Result<bool> is_new(Connection& connection) {
  const Result<std::int64_t> id = connection.number("PRAGMA application_id");
  if (!id) return id.error();
  if (id.value() == kApplicationId) return false;
  const Result<std::int64_t> tables = connection.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  if (tables.value() == 0) return true;
  return file_error(connection.path(), "is a database of another program; it is left as it is");
}

Result<void> make_tables(Connection& connection, std::uint64_t begins_after) {
  const Result<bool> fresh = is_new(connection);
  if (!fresh) return fresh.error();
  if (Result<void> done = bring_up_to_date(connection, kMigrations); !done) return done;
  if (!fresh.value()) return {};
  const std::string number = std::to_string(begins_after);
  return connection.run(("UPDATE mark SET head = " + number + ", dropped = " + number).c_str());
}

Result<HistoryMark> read_mark(Connection& connection) {
  Result<Statement> prepared = connection.prepare(
      "SELECT head, dropped, clean, (SELECT coalesce(max(seq), 0) FROM events), (SELECT coalesce(max(last), 0) FROM holes)"
      " FROM mark");
  if (!prepared) return std::move(prepared).error();
  Statement& row = prepared.value();
  const Result<bool> there = row.step();
  if (!there) return there.error();
  if (!there.value()) return damage_error(connection.path(), "its mark is missing");
  HistoryMark mark;
  mark.last = static_cast<std::uint64_t>(row.number(3));
  const auto lost = static_cast<std::uint64_t>(row.number(4));
  mark.head = std::max({static_cast<std::uint64_t>(row.number(0)), mark.last, lost});
  mark.dropped = std::max(static_cast<std::uint64_t>(row.number(1)), lost);
  mark.clean = row.number(2) != 0;
  return mark;
}

}  // namespace

Result<HistoryFile> HistoryFile::open(const std::string& path, const char* vfs, std::uint64_t begins_after, bool& damaged) {
  damaged = false;
  if (Result<void> made = make_empty(path); !made) return std::move(made).error();
  Result<Connection> opened = Connection::open(path, vfs);
  if (!opened) return std::move(opened).error();
  Connection& connection = opened.value();
  const auto failed = [&](Error error) {
    damaged = connection.is_damaged();
    return error;
  };
  if (Result<void> done = set_up(connection); !done) return failed(std::move(done).error());
  if (Result<void> done = make_tables(connection, begins_after); !done) return failed(std::move(done).error());
  const Result<HistoryMark> mark = read_mark(connection);
  if (!mark) return failed(mark.error());
  Result<Statements> statements = prepare(connection);
  if (!statements) return failed(std::move(statements).error());
  if (Result<void> begun = connection.run("UPDATE mark SET clean = 0 WHERE clean <> 0"); !begun) {
    return failed(std::move(begun).error());
  }
  return HistoryFile(std::move(connection), std::move(statements).value(), mark.value());
}

Result<HistoryFile::Statements> HistoryFile::prepare(Connection& connection) {
  // A number is written twice only when a state file was replaced by an older one.
  Result<Statement> put = connection.prepare("INSERT OR REPLACE INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  if (!put) return std::move(put).error();
  Result<Statement> hole = connection.prepare("INSERT OR REPLACE INTO holes VALUES(?1, ?2, ?3)");
  if (!hole) return std::move(hole).error();
  Result<Statement> mark = connection.prepare("UPDATE mark SET head = max(head, ?1), dropped = max(dropped, ?2), clean = ?3");
  if (!mark) return std::move(mark).error();
  Result<Statement> expire = connection.prepare(
      "DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE time < ?1 ORDER BY time LIMIT ?2) RETURNING seq");
  if (!expire) return std::move(expire).error();
  Result<Statement> shrink = connection.prepare(
      "DELETE FROM events WHERE seq IN (SELECT seq FROM events ORDER BY seq LIMIT ?1) RETURNING seq");
  if (!shrink) return std::move(shrink).error();
  Result<Statement> forget = connection.prepare("DELETE FROM holes WHERE last <= ?1");
  if (!forget) return std::move(forget).error();
  return Statements{std::move(put).value(),    std::move(hole).value(),   std::move(mark).value(),
                    std::move(expire).value(), std::move(shrink).value(), std::move(forget).value()};
}

Result<void> HistoryFile::put(const Event& event) {
  const std::string_view service = event.service_id ? std::string_view(*event.service_id) : std::string_view();
  const std::string json = event_json(event);
  return statements_->put.bind(1, static_cast<std::int64_t>(event.seq))
      .bind(2, event.time.ms)
      .bind(3, wire_name(event.type))
      .bind(4, entry_of(service))
      .bind(5, service)
      .bind(6, json)
      .run();
}

Result<void> HistoryFile::write(std::span<const StoredEvent> events, const std::optional<Hole>& hole, std::uint64_t head) {
  if (Result<void> begun = connection_.run("BEGIN IMMEDIATE"); !begun) return begun;
  for (const StoredEvent& event : events) {
    if (Result<void> done = put(*event); !done) return done;
  }
  if (hole) {
    Statement& insert = statements_->hole.bind(1, static_cast<std::int64_t>(hole->first))
                            .bind(2, static_cast<std::int64_t>(hole->last))
                            .bind(3, static_cast<std::int64_t>(hole->count));
    if (Result<void> done = insert.run(); !done) return done;
  }
  Statement& mark = statements_->mark.bind(1, static_cast<std::int64_t>(head)).bind(2, std::int64_t{0}).bind(3, std::int64_t{0});
  if (Result<void> done = mark.run(); !done) return done;
  return connection_.run("COMMIT");
}

Result<std::uint64_t> HistoryFile::used_bytes() {
  constexpr std::uint64_t kPage = 4'096;
  const Result<std::int64_t> pages = connection_.number("PRAGMA page_count");
  if (!pages) return pages.error();
  const Result<std::int64_t> free = connection_.number("PRAGMA freelist_count");
  if (!free) return free.error();
  return static_cast<std::uint64_t>(pages.value() - free.value()) * kPage;
}

Result<bool> HistoryFile::prune(const HistoryLimits& limits, WallTime now) {
  const Result<std::uint64_t> used = used_bytes();
  if (!used) return used.error();
  if (Result<void> begun = connection_.run("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
  const bool too_much = used.value() > limits.max_bytes;
  Statement& remove = too_much ? statements_->shrink.bind(1, kBatch)
                               : statements_->expire.bind(1, now.ms - limits.max_age.count()).bind(2, kBatch);
  std::int64_t removed = 0;
  std::int64_t newest = 0;
  for (;;) {
    const Result<bool> row = remove.step();
    if (!row) return row.error();
    if (!row.value()) break;
    ++removed;
    newest = std::max(newest, remove.number(0));
  }
  remove.reset();
  if (removed > 0) {
    Statement& mark = statements_->mark.bind(1, std::int64_t{0}).bind(2, newest).bind(3, std::int64_t{0});
    if (Result<void> done = mark.run(); !done) return std::move(done).error();
    if (Result<void> done = statements_->forget.bind(1, newest).run(); !done) return std::move(done).error();
  }
  if (Result<void> done = connection_.run("COMMIT"); !done) return std::move(done).error();
  return removed == kBatch;
}

Result<void> HistoryFile::sync() { return connection_.checkpoint(); }

void HistoryFile::close_for_good(std::uint64_t head) {
  if (statements_) {
    Statement& mark = statements_->mark.bind(1, static_cast<std::int64_t>(head)).bind(2, std::int64_t{0}).bind(3, std::int64_t{1});
    const Result<void> ignored = mark.run();  // then its end is taken for a crash
    (void)ignored.ok();
  }
  statements_.reset();
  connection_.close_for_good();
}

std::vector<std::string> check_history(const std::string& path) {
  std::vector<std::string> found;
  struct stat info {};
  if (::lstat(path.c_str(), &info) < 0) return found;
  const std::string beginning = "\"" + path + "\": ";
  const auto note = [&](const Error& error) {
    found.push_back(error.message.starts_with(beginning) ? error.message.substr(beginning.size()) : error.message);
    return found;
  };
  Result<Connection> connection = Connection::open(path, HistoryFile::layer());
  if (!connection) return note(connection.error());
  if (Result<bool> fresh = is_new(connection.value()); !fresh) return note(fresh.error());
  Result<Statement> check = connection.value().prepare("PRAGMA integrity_check");
  if (!check) return note(check.error());
  for (;;) {
    const Result<bool> row = check.value().step();
    if (!row) return note(row.error());
    if (!row.value()) return found;
    const std::string_view words = check.value().bytes(0);
    if (words != "ok") found.emplace_back(words);
  }
}

std::uint64_t newest_number(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) < 0) return 0;
  Result<Connection> connection = Connection::open(path, HistoryFile::layer());
  if (!connection) return 0;
  const Result<HistoryMark> mark = read_mark(connection.value());
  return mark ? mark.value().head : 0;
}

}  // namespace azora::store
