#pragma once
// std::mutex with clang's capability attributes, and its guard. The only mutex in the project. Threads: any.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "azora/base/thread_annotations.hpp"

namespace azora {

class AZORA_CAPABILITY("mutex") Mutex {
 public:
  void lock() AZORA_ACQUIRE() { mutex_.lock(); }
  bool try_lock() AZORA_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() AZORA_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class AZORA_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) AZORA_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() AZORA_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Condition variable over Mutex. Caller holds the mutex.
class CondVar {
 public:
  template <typename Predicate>
  void wait(Mutex& mutex, Predicate ready) AZORA_REQUIRES(mutex) AZORA_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock, ready);
    lock.release();
  }
  // False when `deadline` passed first.
  template <typename Predicate>
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point deadline, Predicate ready)
      AZORA_REQUIRES(mutex) AZORA_NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool done = condition_.wait_until(lock, deadline, ready);
    lock.release();
    return done;
  }
  // False when `patience` passed first.
  template <typename Predicate>
  bool wait_for(Mutex& mutex, std::chrono::milliseconds patience, Predicate ready)
      AZORA_REQUIRES(mutex) AZORA_NO_THREAD_SAFETY_ANALYSIS {
    return wait_until(mutex, std::chrono::steady_clock::now() + patience, ready);
  }
  void notify_all() { condition_.notify_all(); }
  void notify_one() { condition_.notify_one(); }

 private:
  std::condition_variable condition_;
};

}  // namespace azora
