#include "azora/store/state_file.hpp"

#include <sys/stat.h>

#include <utility>

#include "azora/store/log_file.hpp"
#include "azora/store/state_rows.hpp"
#include "azora/store/state_schema.hpp"

namespace azora::store {
namespace {

using Step = Result<void> (*)(Connection&);

Result<void> keep_a_log(Connection& connection) {
  const Result<std::string> mode = connection.string("PRAGMA journal_mode=WAL");
  if (!mode) return mode.error();
  if (mode.value() != "wal") return file_error(connection.path(), "cannot have a write-ahead log here");
  return {};
}

Result<void> update_tables(Connection& connection) { return bring_up_to_date(connection); }

Result<void> copy_log(Connection& connection) { return connection.checkpoint(); }

Result<void> quick_check(Connection& connection) {
  const Result<std::string> found = connection.string("PRAGMA quick_check(1)");
  if (!found) return found.error();
  if (found.value() != "ok") return damage_error(connection.path(), found.value());
  return {};
}

}  // namespace

Result<void> StateFile::make(const std::string& path, const char* vfs) {
  Result<Connection> connection = Connection::open(path, vfs);
  if (!connection) return std::move(connection).error();
  for (const Step step : {configure, keep_a_log, update_tables, copy_log}) {
    if (Result<void> done = step(connection.value()); !done) return done;
  }
  connection.value().close_for_good();
  return {};
}

Result<StateFile> StateFile::open(const std::string& path, const char* vfs) {
  // At every opening: the program that had the file before may have died after a failed fsync.
  if (Result<void> renewed = renew_log(path, vfs); !renewed) return std::move(renewed).error();
  if (Result<void> good = check_log(path, vfs); !good) return std::move(good).error();
  Result<Connection> connection = Connection::open(path, vfs);
  if (!connection) return std::move(connection).error();
  for (const Step step : {configure, check_is_ours, keep_a_log, update_tables, quick_check}) {
    if (Result<void> done = step(connection.value()); !done) return std::move(done).error();
  }
  Result<Statements> statements = prepare(connection.value());
  if (!statements) return std::move(statements).error();
  StateFile file(std::move(connection).value(), std::move(statements).value());
  if (Result<void> good = file.check_rows(); !good) return std::move(good).error();
  file.file_ = id_of(path);
  file.log_ = id_of(log_path(path));
  return file;
}

StateFile::FileId StateFile::id_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) < 0) return {};
  return {info.st_dev, info.st_ino};
}

Result<StateFile::Statements> StateFile::prepare(Connection& connection) {
  Result<Statement> find = connection.prepare("SELECT bytes FROM rows WHERE kind = ?1 AND name = ?2");
  if (!find) return std::move(find).error();
  Result<Statement> put = connection.prepare(
      "INSERT INTO rows VALUES(?1, ?2, ?3) ON CONFLICT(kind, name) DO UPDATE SET bytes = excluded.bytes");
  if (!put) return std::move(put).error();
  Result<Statement> drop = connection.prepare("DELETE FROM rows WHERE kind = ?1 AND name = ?2");
  if (!drop) return std::move(drop).error();
  Result<Statement> stamp = connection.prepare("UPDATE stamp SET commits = ?1, entries = ?2, digest = ?3");
  if (!stamp) return std::move(stamp).error();
  return Statements{std::move(find).value(), std::move(put).value(), std::move(drop).value(), std::move(stamp).value()};
}

// A page that was lost on its way to the disk, or came back from an older time, is a good page to quick_check.
Result<void> StateFile::check_rows() {
  const Result<Stamp> stamp = read_stamp(connection_);
  if (!stamp) return stamp.error();
  Stamp found{.commits = stamp.value().commits};
  Result<void> read = for_each_row(connection_, [&found](const Key& key, std::string_view bytes) {
    ++found.entries;
    found.digest += digest_of(key, bytes);
  });
  if (!read) return read;
  if (found != stamp.value()) {
    return damage_error(connection_.path(), "its " + std::to_string(found.entries) + " rows are not the " +
                                           std::to_string(stamp.value().entries) + " that were committed last");
  }
  stamp_ = found;
  return {};
}

Result<std::vector<Row>> StateFile::load() {
  std::vector<Row> rows;
  rows.reserve(stamp_.entries);
  Result<void> read = for_each_row(
      connection_, [&rows](Key key, std::string_view bytes) { rows.push_back({std::move(key), std::string(bytes)}); });
  if (!read) return std::move(read).error();
  return rows;
}

Result<void> StateFile::write(const std::vector<Batch>& batches, Stamp& wanted) {
  if (Result<void> there = check_place(); !there) return there;
  Stamp stamp = stamp_;
  stamp.commits += batches.size();
  if (Result<void> begun = connection_.run("BEGIN IMMEDIATE"); !begun) return begun;
  for (const Batch& batch : batches) {
    if (Result<void> written = write_batch(batch, stamp); !written) return written;
  }
  Statement& update = statements_->stamp.bind(1, static_cast<std::int64_t>(stamp.commits))
                          .bind(2, static_cast<std::int64_t>(stamp.entries))
                          .bind(3, static_cast<std::int64_t>(stamp.digest));
  if (Result<void> stamped = update.run(); !stamped) return stamped;
  wanted = stamp;
  if (Result<void> committed = connection_.run("COMMIT"); !committed) return committed;
  stamp_ = stamp;
  return {};
}

// What is written to a file that has lost its name is gone with the program.
Result<void> StateFile::check_place() const {
  for (const auto& [path, id] : {std::pair(connection_.path(), file_), std::pair(log_path(connection_.path()), log_)}) {
    if (id_of(path) != id) return file_error(path, "was removed or replaced while it was in use");
  }
  return {};
}

Result<void> StateFile::write_batch(const Batch& batch, Stamp& stamp) {
  for (const Row& row : batch.rows) {
    if (const Result<bool> there = take_out(row.key, stamp); !there) return there.error();
    Statement& put = statements_->put.bind(1, static_cast<std::int64_t>(row.key.table)).bind(2, row.key.name).bind(3, row.bytes);
    if (Result<void> done = put.run(); !done) return done;
    ++stamp.entries;
    stamp.digest += digest_of(row.key, row.bytes);
  }
  for (const Key& key : batch.removed) {
    const Result<bool> there = take_out(key, stamp);
    if (!there) return there.error();
    if (!there.value()) continue;
    if (Result<void> done = statements_->drop.bind(1, static_cast<std::int64_t>(key.table)).bind(2, key.name).run(); !done) {
      return done;
    }
  }
  return {};
}

Result<bool> StateFile::take_out(const Key& key, Stamp& stamp) {
  Statement& find = statements_->find.bind(1, static_cast<std::int64_t>(key.table)).bind(2, key.name);
  Result<bool> row = find.step();
  if (row && row.value()) {
    --stamp.entries;
    stamp.digest -= digest_of(key, find.bytes(0));
  }
  find.reset();
  return row;
}

Result<void> StateFile::tidy(int long_log) {
  if (connection_.log_pages() < long_log) return {};
  return connection_.checkpoint();
}

void StateFile::close_for_good() {
  statements_.reset();
  connection_.close_for_good();
}

}  // namespace azora::store
