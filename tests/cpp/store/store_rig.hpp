#pragma once
// What tests of stores share: a listener that notes its answers, a folder that goes with its test, and a SqliteStore
// whose loop the test runs until the answers are there.
// Threads: the test's, which has the role of the control thread. Ownership: the rig owns loop, store and listener.
// Fails: the test, when answers do not come within 60 s.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/store/sqlite_store.hpp"

namespace azora::store {

// Where files are quick to make durable.
inline std::filesystem::path memory_folder() {
  const std::filesystem::path shared = "/dev/shm";
  return std::filesystem::exists(shared) ? shared : std::filesystem::temp_directory_path();
}

class TempFolder {
 public:
  TempFolder() : TempFolder(std::filesystem::temp_directory_path()) {}
  explicit TempFolder(const std::filesystem::path& parent) {
    std::string path = parent / "azora-store-test-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}
inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

struct Answers : StoreListener {
  void on_committed(Ticket ticket) override { note(ticket, {}); }
  void on_failed(Ticket ticket, const Failure& failure) override { note(ticket, failure); }
  void note(Ticket ticket, std::optional<Failure> failure) {
    EXPECT_EQ(ticket, answered + 1) << "answers come in the order of the tickets";
    answered = ticket;
    if (failure) {
      failed.push_back(ticket);
      last_failure = std::move(*failure);
    } else {
      committed.push_back(ticket);
    }
    if (heard) heard(ticket);
  }
  Ticket answered = 0;
  std::vector<Ticket> committed;
  std::vector<Ticket> failed;
  Failure last_failure;
  std::function<void(Ticket)> heard;
};

class SqliteRig {
 public:
  explicit SqliteRig(std::filesystem::path folder, FileOptions file = {}) : folder_(std::move(folder)), file_(std::move(file)) {}

  // The error of opening; empty: it is open.
  std::string open() {
    close();
    Result<std::unique_ptr<SqliteStore>> opened = SqliteStore::open(folder_, loop_, {.file = file_});
    if (!opened) return opened.error().message;
    store_ = std::move(opened).value();
    answers_ = std::make_unique<Answers>();
    store_->set_listener(answers_.get());
    return {};
  }
  void close() { store_.reset(); }

  SqliteStore& store() { return *store_; }
  Answers& answers() { return *answers_; }
  AsioLoop& loop() { return loop_; }

  // Runs the loop until that ticket is answered.
  void wait_for(Ticket ticket) {
    if (answers_->answered >= ticket) return;
    answers_->heard = [this, ticket](Ticket answered) {
      if (answered == ticket) loop_.stop();
    };
    const TimerId late = loop_.at(loop_.now().steady + std::chrono::seconds(60), [this, ticket] {
      ADD_FAILURE() << "no answer to ticket " << ticket << "; the last answer was to " << answers_->answered;
      loop_.stop();
    });
    loop_.run();
    loop_.cancel(late);
    answers_->heard = nullptr;
  }
  // True: it is committed.
  bool commit(Batch batch) {
    const Ticket ticket = store_->commit(std::move(batch));
    wait_for(ticket);
    return !answers_->committed.empty() && answers_->committed.back() == ticket;
  }
  std::map<Key, std::string> rows() { return rows_of(*store_); }
  static std::map<Key, std::string> rows_of(Store& store) {
    const Result<std::vector<Row>> loaded = store.load();
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    std::map<Key, std::string> rows;
    if (!loaded) return rows;
    for (const Row& row : loaded.value()) rows.emplace(row.key, row.bytes);
    return rows;
  }

 private:
  ThreadRole::Scope role_{control_thread};
  std::filesystem::path folder_;
  FileOptions file_;
  AsioLoop loop_;
  std::unique_ptr<Answers> answers_;
  std::unique_ptr<SqliteStore> store_;
};

// What the rows of committed batches add up to.
inline void apply_batch(std::map<Key, std::string>& rows, const Batch& batch) {
  for (const Row& row : batch.rows) rows.insert_or_assign(row.key, row.bytes);
  for (const Key& key : batch.removed) rows.erase(key);
}

}  // namespace azora::store
