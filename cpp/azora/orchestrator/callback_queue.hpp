#pragma once
// Restart callables on their way to Python: at most one waiting per service, never dropped.
// A newer request of the same service takes the place of the older.
// Threads: any. Ownership: of the requests. Fails: never.
#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "azora/base/asio_loop.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"
#include "azora/orchestrator/orchestrator.hpp"

namespace azora::orchestrator {

class CallbackQueue {
 public:
  void push(CallbackRequest request) {
    MutexLock lock(mutex_);
    const auto same = std::find_if(waiting_.begin(), waiting_.end(),
                                   [&](const CallbackRequest& one) { return one.id == request.id; });
    if (same != waiting_.end()) {
      *same = std::move(request);
      return;
    }
    waiting_.push_back(std::move(request));
    changed_.notify_one();
  }
  // nullopt: none within `timeout`, or closed.
  std::optional<CallbackRequest> next(Millis timeout) {
    MutexLock lock(mutex_);
    const auto deadline = AsioLoop::steady_now() + std::min(timeout, kLongest);
    changed_.wait_until(mutex_, deadline, [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return closed_ || !waiting_.empty(); });
    if (closed_ || waiting_.empty()) return std::nullopt;
    CallbackRequest request = std::move(waiting_.front());
    waiting_.pop_front();
    return request;
  }
  void close() {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr Millis kLongest{24LL * 3600 * 1000};  // keeps the deadline within the clock

  Mutex mutex_;
  CondVar changed_;
  std::deque<CallbackRequest> waiting_ AZORA_GUARDED_BY(mutex_);
  bool closed_ AZORA_GUARDED_BY(mutex_) = false;
};

}  // namespace azora::orchestrator
