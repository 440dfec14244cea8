#pragma once
// The action `restart callable`: a function of the surrounding program (Python) makes the service well again. Requests
// wait here until that program takes them. There is at most one per service, because the next start of a service waits
// for the result of the one before. No request is dropped, but a newer request replaces one of the same service that
// was not taken yet. The result comes back by done().
// Threads: start(), forget() and done() the control thread; next() and close() any. Ownership: of the requests. Fails: never.
#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "azora/actions/action.hpp"
#include "azora/base/asio_loop.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"

namespace azora::actions {

class CallableAction : public Action {
 public:
  void set_listener(ActionListener* listener) override { listener_ = listener; }
  void start(ActionRequest request) override {
    MutexLock lock(mutex_);
    const auto same = std::find_if(waiting_.begin(), waiting_.end(),
                                   [&](const ActionRequest& one) { return one.spec->id == request.spec->id; });
    if (same != waiting_.end()) {
      *same = std::move(request);
      return;
    }
    waiting_.push_back(std::move(request));
    changed_.notify_one();
  }
  // Drops the requests of a service that is not registered any more.
  void forget(std::uint64_t serial) override {
    MutexLock lock(mutex_);
    std::erase_if(waiting_, [serial](const ActionRequest& one) { return one.run.serial == serial; });
  }
  // The result of a request that was taken. It is ignored if its run is not the current one any more.
  void done(Run run, ActionResult result) { listener_->on_action_done(run, std::move(result)); }

  // Takes the oldest request. nullopt: none came within `timeout`, or closed.
  std::optional<ActionRequest> next(Millis timeout) {
    MutexLock lock(mutex_);
    const auto deadline = AsioLoop::steady_now() + std::min(timeout, kLongest);
    changed_.wait_until(mutex_, deadline, [this]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return closed_ || !waiting_.empty(); });
    if (closed_ || waiting_.empty()) return std::nullopt;
    ActionRequest request = std::move(waiting_.front());
    waiting_.pop_front();
    return request;
  }
  void close() {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr Millis kLongest{24LL * 3600 * 1000};  // so that the deadline fits into the clock

  ActionListener* listener_ = nullptr;
  Mutex mutex_;
  CondVar changed_;
  std::deque<ActionRequest> waiting_ AZORA_GUARDED_BY(mutex_);
  bool closed_ AZORA_GUARDED_BY(mutex_) = false;
};

}  // namespace azora::actions
