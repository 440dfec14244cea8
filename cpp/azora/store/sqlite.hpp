#pragma once
// A connection to one SQLite file and its statements, as objects that close themselves. What SQLite refuses becomes an
// Error that names the file, SQLite's words and the system's; it is storage_full when the disk has no room.
// Threads: one at a time; a statement belongs to its connection. Ownership: a statement ends before its connection.
// Fails: by Result, with storage_full or storage_failed.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "azora/base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace azora::store {

// The error of an operation on `path` that SQLite answered with `code`; `system` is its errno, 0 when unknown.
Error sqlite_error(const std::string& path, int code, int system, std::string_view words = {});
// A file that is damaged: what is wrong, and what helps.
Error damage_error(const std::string& path, std::string_view what);
// A file that is not as it must be: "PATH": what.
Error file_error(const std::string& path, const std::string& what);
// The same for a system call that failed with `number`.
Error system_error(const std::string& path, const std::string& what, int number);

struct FileOptions {
  std::string vfs = {};  // SQLite's name of the layer for files; empty: the system's
  int long_log = 1'000;  // pages; a longer log is copied into the file between commits
  const char* vfs_name() const { return vfs.empty() ? nullptr : vfs.c_str(); }
};

class Statement {
 public:
  // Numbers of parameters begin at 1. The bytes must live until the next reset().
  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::string_view bytes);
  // True: there is a row, and number() and bytes() read it; false: there is none any more.
  Result<bool> step();
  // Runs it to its end and makes it ready for the next use.
  Result<void> run();
  void reset();
  // Of the row of the last step(); columns begin at 0. The bytes live until the next step() or reset().
  std::int64_t number(int column) const;
  std::string_view bytes(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(std::string path, sqlite3_stmt* statement) : path_(std::move(path)), statement_(statement) {}

  std::string path_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_fault_ = 0;
};

class Connection {
 public:
  // Opens an existing file for reading and writing. `vfs` as FileOptions::vfs_name() gives it. Closing leaves the
  // write-ahead log as it is.
  static Result<Connection> open(const std::string& path, const char* vfs);

  const std::string& path() const { return path_; }
  // Statements without parameters, whose rows are of no interest.
  Result<void> run(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  // The one number, or the one string, that a query answers.
  Result<std::int64_t> number(std::string_view sql);
  Result<std::string> string(std::string_view sql);
  // The last failure was that another program has the file open.
  bool is_in_use() const;
  // The last failure was that the file is damaged.
  bool is_damaged() const;
  // How many pages the write-ahead log had after the last commit.
  int log_pages() const { return *log_pages_; }
  // Copies the log into the file, and makes both durable.
  Result<void> checkpoint();
  // As the last user of the file: copies the log into it and removes the log, as far as possible.
  void close_for_good();

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  Connection(std::string path, sqlite3* connection);
  Error error(int code) const;

  std::string path_;
  std::unique_ptr<int> log_pages_ = std::make_unique<int>(0);  // written by SQLite's hook
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace azora::store
