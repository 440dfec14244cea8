#pragma once
// The store of a durable fleet: the rows in DIR/state.db, an SQLite file in WAL mode with synchronous=FULL
// (docs/decisions/0023). What is acknowledged survives a crash of the program and of the machine.
// - commit() gives the batch to the thread az-store, which commits all that wait in one transaction (store_writer.hpp).
// - A failure names the file and the system's words; `full` is set when there is no room. Afterwards the file is opened
//   and compared anew before anything is acknowledged (checked_file.hpp). With room, or a working disk, again the next
//   commit succeeds; nothing need be restarted.
// - A disk that hangs holds az-store up, never the control thread. The destructor waits for it at most for
//   `farewell`; what it then still holds up may yet be written, and the directory stays locked until it lets go.
// - One orchestrator has the directory; a second one is refused and told who the first is (state_folder.hpp).
// - Past events are kept beside it in DIR/history.db, if keep_history() is called; nothing waits for them.
// - A file that is damaged, of another program or of a newer version is refused and stays as it is. Records have
//   checksums of their own: decode_state() judges them.
// Threads: those of store.hpp; the loop is the control thread's. Ownership: owns thread, file and lock; borrows the
// loop, which outlives it, and the listener. Fails: open() and load() by Result, batches through the listener.
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread.hpp"
#include "azora/base/time.hpp"
#include "azora/model/event.hpp"
#include "azora/store/sqlite.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

class History;
struct HistoryOptions;
class StoreWriter;

class SqliteStore : public Store {
 public:
  struct Options {
    ThreadDied died = nullptr;
    Millis farewell{5'000};  // how long the destructor waits for the disk
    FileOptions file = {};   // for tests
  };
  // Makes the directory and the file where they are missing. Waits for the disk.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& folder, Loop& loop, Options options);
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  void set_listener(StoreListener* listener) override;
  Result<std::vector<Row>> load() override;
  Ticket commit(Batch batch) override;
  bool keeps_rows() const override { return true; }
  // Before the first commit. Waits for the disk; what is wrong with the history is told by History::trouble().
  void keep_history(HistoryOptions options);
  // The state events of a turn, before its rows are committed, and the newest number given to any event. Without
  // keep_history() nothing is done.
  void add_events(const std::vector<std::shared_ptr<const Event>>& events, std::uint64_t head);
  // Null without keep_history().
  const std::shared_ptr<History>& history() const { return history_; }
  // Commits what waits and gives the directory up; nothing may be committed afterwards. Waits as the destructor does.
  void close();

 private:
  SqliteStore(std::shared_ptr<StoreWriter> writer, std::string folder, Millis farewell)
      : writer_(std::move(writer)), folder_(std::move(folder)), farewell_(farewell) {}

  std::shared_ptr<StoreWriter> writer_;  // its thread has it, too
  std::shared_ptr<History> history_;
  std::string folder_;
  Millis farewell_;
};

}  // namespace azora::store
