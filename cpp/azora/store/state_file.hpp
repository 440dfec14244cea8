#pragma once
// The state file, open and found to be good: header, tables, and every row compared with what was committed last. SQLite
// in WAL mode with synchronous=FULL, locked for us alone, so that it needs no shared memory beside it: a fault of the
// disk below a mapping would kill the program.
// After a failure of any method the object is of no use: close it, which leaves file and log as they are.
// Threads: one at a time. Ownership: owns the connection. Fails: by Result, with storage_full or storage_failed. A file
// that is damaged, foreign or of a newer version is refused and stays as it is.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/store/sqlite.hpp"
#include "azora/store/state_rows.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

class StateFile {
 public:
  // Gives an empty file its tables, durably. `vfs` as for Connection::open().
  static Result<void> make(const std::string& path, const char* vfs);
  // Opens a file that is there.
  static Result<StateFile> open(const std::string& path, const char* vfs);

  const Stamp& stamp() const { return stamp_; }
  Result<std::vector<Row>> load();
  // All batches in one durable transaction. `wanted` is set to the stamp that it leads to, before anything is durable.
  Result<void> write(const std::vector<Batch>& batches, Stamp& wanted);
  // Copies the log into the file when it is longer than that. Everything is durable before, too.
  Result<void> tidy(int long_log);
  // Like tidy(), whatever its length, and closes; never fails: what is not copied stays in the log.
  void close_for_good();

 private:
  struct FileId {
    dev_t device = 0;
    ino_t number = 0;
    friend bool operator==(const FileId&, const FileId&) = default;
  };
  struct Statements {
    Statement find;
    Statement put;
    Statement drop;
    Statement stamp;
  };

  StateFile(Connection connection, Statements statements)
      : connection_(std::move(connection)), statements_(std::move(statements)) {}
  static FileId id_of(const std::string& path);
  static Result<Statements> prepare(Connection& connection);
  Result<void> check_rows();
  Result<void> check_place() const;
  Result<void> write_batch(const Batch& batch, Stamp& stamp);
  // Takes what is stored under the key out of the stamp; true: there is something.
  Result<bool> take_out(const Key& key, Stamp& stamp);

  Connection connection_;
  std::optional<Statements> statements_;
  Stamp stamp_;
  FileId file_;
  FileId log_;
};

}  // namespace azora::store
