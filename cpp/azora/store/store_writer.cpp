#include "azora/store/store_writer.hpp"

#include <exception>

#include "azora/base/check.hpp"

namespace azora::store {
namespace {

constexpr const char* kName = "az-store";

}  // namespace

Result<void> StoreWriter::start(ThreadDied died) {
  auto self = shared_from_this();
  auto thread = start_thread(kName, [self] { self->run(); },
                             [self, died = std::move(died)](const char* name, const std::string& reason) {
                               self->died(reason);
                               if (died) died(name, reason);
                             });
  if (!thread) {
    return Error{ErrorCode::limit_reached,
                 "the system cannot start the thread az-store; see ulimit -u and the cgroup's pids.max", {}};
  }
  thread_ = std::move(*thread);
  return {};
}

Result<std::vector<Row>> StoreWriter::load() {
  MutexLock lock(file_mutex_);
  return file_.load();
}

void StoreWriter::keep_history(std::shared_ptr<History> history) {
  MutexLock lock(mutex_);
  history_ = std::move(history);
  changed_.notify_all();
}

void StoreWriter::wake() {
  MutexLock lock(mutex_);
  changed_.notify_all();
}

Ticket StoreWriter::add(Batch batch) {
  MutexLock lock(mutex_);
  waiting_.push_back(std::move(batch));
  if (dead_ && loop_ != nullptr) {
    loop_->post([self = shared_from_this(), error = *dead_] {
      control_thread.assert_held();
      self->failed(error);
    });
  }
  changed_.notify_all();
  return ++given_;
}

void StoreWriter::close(Millis patience) {
  {
    MutexLock lock(mutex_);
    loop_ = nullptr;
    changed_.notify_all();
    changed_.wait_for(mutex_, patience, [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return ended_; });
    if (!ended_) {
      // Nothing can end a call to a disk that hangs, and nobody may wait for it.
      if (thread_.joinable()) thread_.detach();
      return;
    }
  }
  if (thread_.joinable()) thread_.join();
  folder_.reset();  // answers that nobody takes any more may keep this object, but not the lock
}

void StoreWriter::run() {
  while (const std::optional<std::vector<Batch>> batches = next()) {
    with_history(&History::write);
    if (!batches->empty()) {
      const Result<void> written = write(*batches);
      if (written) {
        post_committed(batches->size());
        MutexLock lock(file_mutex_);
        file_.tidy();
      } else {
        post_failed(written.error());
      }
    }
    with_history(&History::tidy);
  }
  end();
}

// Waits for batches or for work of the history, and takes all batches that wait. nullopt: the store is closed and all
// is written.
std::optional<std::vector<Batch>> StoreWriter::next() {
  MutexLock lock(mutex_);
  const auto ready = [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS {
    return loop_ == nullptr || (!waiting_.empty() && !failing_) || (history_ && history_->is_due());
  };
  if (const std::optional<Millis> pause = history_ ? history_->pause() : std::nullopt) {
    changed_.wait_for(mutex_, *pause, ready);
  } else {
    changed_.wait(mutex_, ready);
  }
  if (loop_ == nullptr && (waiting_.empty() || failing_)) return std::nullopt;
  if (failing_) return std::vector<Batch>();
  return std::exchange(waiting_, {});
}

void StoreWriter::with_history(void (History::*work)()) {
  std::shared_ptr<History> history;
  {
    MutexLock lock(mutex_);
    history = history_;
  }
  if (!history) return;
  try {
    ((*history).*work)();
  } catch (...) {
    report_exception(kName, std::current_exception());
  }
}

Result<void> StoreWriter::write(const std::vector<Batch>& batches) {
  MutexLock lock(file_mutex_);
  try {
    return file_.write(batches);
  } catch (...) {
    file_.distrust();
    report_exception(kName, std::current_exception());
    return Error{ErrorCode::storage_failed, exception_words(std::current_exception()), {}};
  }
}

void StoreWriter::end() {
  with_history(&History::close);
  {
    MutexLock lock(file_mutex_);
    file_.close_for_good();
  }
  MutexLock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void StoreWriter::post_committed(std::size_t batches) {
  MutexLock lock(mutex_);
  if (loop_ == nullptr) return;
  loop_->post([self = shared_from_this(), batches] {
    control_thread.assert_held();
    self->committed(batches);
  });
}

void StoreWriter::post_failed(const Error& error) {
  MutexLock lock(mutex_);
  failing_ = true;
  if (loop_ == nullptr) return;
  loop_->post([self = shared_from_this(), error] {
    control_thread.assert_held();
    self->failed(error);
  });
}

void StoreWriter::committed(std::size_t batches) {
  for (std::size_t i = 0; i < batches; ++i) {
    ++answered_;
    if (listener_ != nullptr) listener_->on_committed(answered_);
  }
}

void StoreWriter::failed(const Error& error) {
  {
    MutexLock lock(mutex_);
    waiting_.clear();
    failing_ = false;
    changed_.notify_all();
  }
  const Failure failure{.full = error.code == ErrorCode::storage_full, .reason = error.message};
  for (const Ticket last = given_; answered_ < last;) {
    ++answered_;
    if (listener_ != nullptr) listener_->on_failed(answered_, failure);
  }
}

void StoreWriter::died(const std::string& reason) {
  MutexLock lock(mutex_);
  dead_ = Error{ErrorCode::storage_failed, "the thread az-store died: " + reason + "; restart the program", {}};
  ended_ = true;
  if (loop_ == nullptr) return;
  loop_->post([self = shared_from_this(), error = *dead_] {
    control_thread.assert_held();
    self->failed(error);
  });
}

}  // namespace azora::store
