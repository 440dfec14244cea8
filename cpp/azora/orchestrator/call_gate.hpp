#pragma once
// How calls from any thread wait for the control thread: a Reply is set there once and waited for here; the
// CallGate counts who is inside, so that the end of the program leaves no caller waiting.
// Threads: any. Ownership: Reply is shared by caller and control thread. Fails: enter() after close().
#include <memory>
#include <optional>
#include <utility>

#include "azora/base/mutex.hpp"

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

class CallGate {
 public:
  // One call inside; false: the gate is closed.
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

  // No call enters any more. True for the first caller.
  bool close() {
    MutexLock lock(mutex_);
    return !std::exchange(closed_, true);
  }
  // Until the last one inside left.
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
