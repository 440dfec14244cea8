#pragma once
// The thread `az-store` and what waits for it. All batches that wait are one transaction (group commit): while one is
// being made durable the next ones gather, so a slow disk makes larger transactions, not longer queues. When one fails,
// everything that was given until the listener hears of it fails, too (store.hpp, 2).
// The queue has no limit of its own: a core takes no changes any more once a ticket has waited for
// orchestrator::Commits::kPatience, so it holds what a core can change in that time.
// Events of the past are written here, too (history.hpp): before the batches that wait, and never among them.
// Threads: start(), keep_history(), add(), load(), wake() and close() are the control thread's; the rest is private.
// Ownership: owns file and folder, and so the lock on it, until the disk lets go of the thread, even when that is after
// close(); then it touches nothing else of ours. Borrows the loop and the listener until close().
// Fails: start() when there is no thread to give; batches through the listener.
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/thread.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/store/checked_file.hpp"
#include "azora/store/history.hpp"
#include "azora/store/state_folder.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

class StoreWriter : public std::enable_shared_from_this<StoreWriter> {
 public:
  StoreWriter(StateFolder folder, CheckedFile file, Loop& loop)
      : folder_(std::move(folder)), file_(std::move(file)), loop_(&loop) {}

  Result<void> start(ThreadDied died);
  void set_listener(StoreListener* listener) AZORA_CONTROL { listener_ = listener; }
  // Waits for the disk.
  Result<std::vector<Row>> load();
  void keep_history(std::shared_ptr<History> history);
  // The history has something to write.
  void wake();
  Ticket add(Batch batch) AZORA_CONTROL;
  // What was added is written, unless the disk takes longer than `patience`; no answer is given any more.
  void close(Millis patience);

 private:
  void run();
  std::optional<std::vector<Batch>> next();
  // Runs it with the history, if there is one; what it throws is no reason to end the thread.
  void with_history(void (History::*work)());
  Result<void> write(const std::vector<Batch>& batches);
  void end();
  // On az-store; the answers are given on the control thread.
  void post_committed(std::size_t batches);
  void post_failed(const Error& error);
  void committed(std::size_t batches) AZORA_CONTROL;
  void failed(const Error& error) AZORA_CONTROL;
  void died(const std::string& reason);

  std::optional<StateFolder> folder_;  // until close() has waited for the thread
  Mutex file_mutex_;
  CheckedFile file_ AZORA_GUARDED_BY(file_mutex_);
  StoreListener* listener_ AZORA_OF_CONTROL = nullptr;
  Ticket given_ AZORA_OF_CONTROL = 0;
  Ticket answered_ AZORA_OF_CONTROL = 0;
  std::thread thread_;

  Mutex mutex_;
  CondVar changed_;
  Loop* loop_ AZORA_GUARDED_BY(mutex_);                  // null: closed
  std::vector<Batch> waiting_ AZORA_GUARDED_BY(mutex_);  // in order of their tickets
  bool failing_ AZORA_GUARDED_BY(mutex_) = false;        // the listener has not heard of a failure yet
  bool ended_ AZORA_GUARDED_BY(mutex_) = false;          // the thread has nothing more to do
  std::shared_ptr<History> history_ AZORA_GUARDED_BY(mutex_);
  std::optional<Error> dead_ AZORA_GUARDED_BY(mutex_);   // an exception has ended the thread
};

}  // namespace azora::store
