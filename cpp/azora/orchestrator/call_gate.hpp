#pragma once
// How calls from any thread wait for the control thread: the control thread keeps a Promise once, the caller waits for
// a Reply. The CallGate counts the callers inside, so that the end of the program leaves no caller waiting.
// Threads: any. Ownership: Reply and Promise are shared by caller and control thread. Fails: enter() after close(); a
// promise that is destroyed without an answer answers `internal`.
#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "azora/base/check.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/result.hpp"

namespace azora::orchestrator {

template <typename T>
class Reply {
 public:
  void set(T value) {
    MutexLock lock(mutex_);
    value_.emplace(std::move(value));
    ready_.notify_all();
  }
  T wait() {
    MutexLock lock(mutex_);
    ready_.wait(mutex_, [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return value_.has_value(); });
    return *std::move(value_);
  }

 private:
  Mutex mutex_;
  CondVar ready_;
  std::optional<T> value_ AZORA_GUARDED_BY(mutex_);
};

// The answer that the control thread owes a caller. If the task that holds it throws or is dropped, the caller gets our
// error as the answer. T is a Result.
template <typename T>
class Promise {
 public:
  explicit Promise(std::function<void(T)> done) : done_(std::move(done)) {}
  ~Promise() {
    if (!done_) return;
    try {
      keep(T(Error{ErrorCode::internal, "the call failed inside the orchestrator; see its log", {}}));
    } catch (...) {
      report_exception("answer", std::current_exception());
    }
  }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  // Call it once; later answers are ignored.
  void keep(T answer) {
    if (const auto done = std::exchange(done_, nullptr)) done(std::move(answer));
  }

 private:
  std::function<void(T)> done_;
};

// Opens at the first call, but never after close(): a call that came in just before the end cannot open anything after
// it.
class OpenOnce {
 public:
  // `body` opens what is needed. If it fails, the next call tries again.
  template <typename Body>
  Result<void> open(const Body& body) {
    if (open_.load(std::memory_order_acquire)) return {};
    MutexLock lock(mutex_);
    if (closed_) return Error{ErrorCode::closed, "the orchestrator is closed", {}};
    if (open_.load(std::memory_order_relaxed)) return {};
    if (Result<void> done = body(); !done) return done;
    open_.store(true, std::memory_order_release);
    return {};
  }
  bool is_open() const { return open_.load(std::memory_order_acquire); }
  // Returns whether it was open.
  bool close() {
    MutexLock lock(mutex_);
    closed_ = true;
    return open_.load(std::memory_order_relaxed);
  }

 private:
  Mutex mutex_;
  std::atomic<bool> open_{false};
  bool closed_ AZORA_GUARDED_BY(mutex_) = false;
};

class CallGate {
 public:
  // Holds one call inside; false: the gate is closed.
  class Pass {
   public:
    explicit Pass(CallGate& gate) : gate_(gate), inside_(gate.enter()) {}
    ~Pass() {
      if (inside_) gate_.leave();
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    explicit operator bool() const { return inside_; }

   private:
    CallGate& gate_;
    bool inside_;
  };

  // Lets no further call in. True for the first caller.
  bool close() {
    MutexLock lock(mutex_);
    return !std::exchange(closed_, true);
  }
  // Waits until no call is inside.
  void drain() {
    MutexLock lock(mutex_);
    left_.wait(mutex_, [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return inside_ == 0; });
  }

 private:
  bool enter() {
    MutexLock lock(mutex_);
    if (closed_) return false;
    ++inside_;
    return true;
  }
  void leave() {
    MutexLock lock(mutex_);
    if (--inside_ == 0) left_.notify_all();
  }

  Mutex mutex_;
  CondVar left_;
  int inside_ AZORA_GUARDED_BY(mutex_) = 0;
  bool closed_ AZORA_GUARDED_BY(mutex_) = false;
};

}  // namespace azora::orchestrator
