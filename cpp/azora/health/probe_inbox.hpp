#pragma once
// Questions on their way from the control thread to the net thread, and those that the net thread has taken but not
// asked yet. Vectors are swapped, so that in steady state nothing is allocated; what a burst needed is freed.
// Threads: push() and stop() any thread; all else the net thread.
// Ownership: the questions, until next() has handed one out. Fails: never.
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "azora/base/mutex.hpp"
#include "azora/health/prober.hpp"

namespace azora::health {

class ProbeInbox {
 public:
  // Takes the requests, and leaves room for the next ones. True: the net thread has to be woken to look at them.
  [[nodiscard]] bool push(std::vector<ProbeRequest>& requests) {
    MutexLock lock(mutex_);
    if (pushed_.empty()) {
      pushed_.swap(requests);
    } else {
      std::move(requests.begin(), requests.end(), std::back_inserter(pushed_));
      requests.clear();
    }
    return !std::exchange(woken_, true);
  }
  void stop() {
    MutexLock lock(mutex_);
    stopping_ = true;
  }

  // Appends what was pushed to what is left, and learns whether to stop.
  void take() {
    if (next_ == taken_.size()) {
      taken_.clear();
      if (taken_.capacity() > kKept) taken_ = {};
      next_ = 0;
    }
    MutexLock lock(mutex_);
    if (taken_.empty()) {
      taken_.swap(pushed_);
    } else {
      std::move(pushed_.begin(), pushed_.end(), std::back_inserter(taken_));
      pushed_.clear();
    }
    woken_ = false;
    stopped_ = stopping_;
  }
  bool stopped() const { return stopped_; }  // as take() found it
  std::size_t left() const { return taken_.size() - next_; }
  // Only when some are left. Good until the next take().
  ProbeRequest& next() { return taken_[next_++]; }

 private:
  static constexpr std::size_t kKept = 4096;  // room that is kept, in questions

  std::vector<ProbeRequest> taken_;  // those before next_ were handed out
  std::size_t next_ = 0;
  bool stopped_ = false;

  Mutex mutex_;
  std::vector<ProbeRequest> pushed_ AZORA_GUARDED_BY(mutex_);
  bool woken_ AZORA_GUARDED_BY(mutex_) = false;
  bool stopping_ AZORA_GUARDED_BY(mutex_) = false;
};

}  // namespace azora::health
