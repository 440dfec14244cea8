#include "azora/store/sqlite.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace azora::store {
namespace {

constexpr int kPatienceMs = 2'000;  // for another program that has the file open for a moment

std::string quoted(const std::string& path) { return "\"" + path + "\": "; }

bool is_lack_of_room(int code, int system) {
  return (code & 0xff) == SQLITE_FULL || system == ENOSPC || system == EDQUOT;
}

int note_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

Error sqlite_error(const std::string& path, int code, int system, std::string_view words) {
  if (words.empty()) words = sqlite3_errstr(code);
  const int kind = code & 0xff;
  if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB) return damage_error(path, words);
  std::string message = quoted(path) + std::string(words);
  if (kind == SQLITE_BUSY) message += "; another program has it open";
  if (kind != SQLITE_IOERR && kind != SQLITE_CANTOPEN) system = 0;  // SQLite keeps that of an earlier failure
  if (system != 0) message += ": " + std::system_category().message(system);
  message += " (SQLite " + std::to_string(code) + ")";
  return {is_lack_of_room(code, system) ? ErrorCode::storage_full : ErrorCode::storage_failed, std::move(message), {}};
}

Error damage_error(const std::string& path, std::string_view what) {
  return file_error(path, "is damaged: " + std::string(what) +
                              "; it is left as it is, and \"azora state repair\" saves what can be saved");
}

Error file_error(const std::string& path, const std::string& what) {
  return {ErrorCode::storage_failed, quoted(path) + what, {}};
}

Error system_error(const std::string& path, const std::string& what, int number) {
  return {is_lack_of_room(0, number) ? ErrorCode::storage_full : ErrorCode::storage_failed,
          quoted(path) + what + ": " + std::system_category().message(number), {}};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int at, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), at, value);
  if (code != SQLITE_OK) bind_fault_ = code;
  return *this;
}

Statement& Statement::bind(int at, std::string_view bytes) {
  // A null pointer would be NULL, not an empty blob.
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  const int code = sqlite3_bind_blob64(statement_.get(), at, data, bytes.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) bind_fault_ = code;
  return *this;
}

Result<bool> Statement::step() {
  if (bind_fault_ != SQLITE_OK) return sqlite_error(path_, std::exchange(bind_fault_, SQLITE_OK), 0);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* connection = sqlite3_db_handle(statement_.get());
  return sqlite_error(path_, sqlite3_extended_errcode(connection), sqlite3_system_errno(connection),
                      sqlite3_errmsg(connection));
}

Result<void> Statement::run() {
  Result<bool> row = step();
  while (row && row.value()) row = step();
  reset();
  if (!row) return std::move(row).error();
  return {};
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string_view Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return {static_cast<const char*>(data), data == nullptr ? 0 : size};
}

void Connection::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Connection::Connection(std::string path, sqlite3* connection) : path_(std::move(path)), connection_(connection) {
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kPatienceMs);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_hook(connection, note_pages, log_pages_.get());  // replaces SQLite's own checkpoints within a commit
}

Result<Connection> Connection::open(const std::string& path, const char* vfs) {
  sqlite3* handle = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, kFlags, vfs);
  if (handle == nullptr) return sqlite_error(path, code, ENOMEM);
  Connection connection(path, handle);
  if (code != SQLITE_OK) return connection.error(code);
  // SQLite falls back to reading when it may not write.
  if (sqlite3_db_readonly(handle, "main") == 1) return file_error(path, "is read-only");
  return connection;
}

Result<void> Connection::run(const char* sql) {
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  return {};
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return error(code);
  return Statement(path_, statement);
}

Result<std::int64_t> Connection::number(std::string_view sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  Result<bool> row = statement.value().step();
  if (!row) return std::move(row).error();
  return row.value() ? statement.value().number(0) : 0;
}

Result<std::string> Connection::string(std::string_view sql) {
  Result<Statement> statement = prepare(sql);
  if (!statement) return std::move(statement).error();
  Result<bool> row = statement.value().step();
  if (!row) return std::move(row).error();
  return row.value() ? std::string(statement.value().bytes(0)) : std::string();
}

bool Connection::is_in_use() const { return (sqlite3_errcode(connection_.get()) & 0xff) == SQLITE_BUSY; }

bool Connection::is_damaged() const {
  const int kind = sqlite3_errcode(connection_.get()) & 0xff;
  return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
}

Result<void> Connection::checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(connection_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK) return error(code);
  *log_pages_ = 0;
  return {};
}

void Connection::close_for_good() {
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  connection_.reset();
}

Error Connection::error(int code) const {
  sqlite3* connection = connection_.get();
  return sqlite_error(path_, sqlite3_extended_errcode(connection) == SQLITE_OK ? code : sqlite3_extended_errcode(connection),
                      sqlite3_system_errno(connection), sqlite3_errmsg(connection));
}

}  // namespace azora::store
