#pragma once
// A named thread that runs one AsioLoop, from start() to stop().
// Threads: start() and stop() one caller at a time; loop() as AsioLoop says. Ownership: owns loop and thread; posted
// tasks that did not run are destroyed with it. Fails: start() if the system cannot start a thread.
#include <string>
#include <thread>

#include "azora/base/asio_loop.hpp"
#include "azora/base/result.hpp"
#include "azora/base/thread.hpp"
#include "azora/base/thread_role.hpp"

namespace azora::orchestrator {

class LoopThread {
 public:
  // `name`: at most 15 characters, static text.
  explicit LoopThread(const char* name, ThreadDied died, const ThreadRole* role = nullptr)
      : name_(name), died_(std::move(died)), role_(role) {}
  ~LoopThread() { stop(); }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  AsioLoop& loop() { return loop_; }
  bool running() const { return thread_.joinable(); }

  Result<void> start() {
    if (running()) return {};
    std::optional<std::thread> thread = start_thread(name_, [this] { run(); }, died_);
    if (!thread) {
      return Error{ErrorCode::limit_reached, std::string("the system cannot start the thread ") + name_ +
                                                 "; see ulimit -u and the cgroup's pids.max", {}};
    }
    thread_ = std::move(*thread);
    return {};
  }
  // The current batch ends, and no other begins.
  void stop() {
    if (!running()) return;
    loop_.stop();
    thread_.join();
  }

 private:
  void run() AZORA_NO_THREAD_SAFETY_ANALYSIS {
    std::optional<ThreadRole::Scope> here;
    if (role_ != nullptr) here.emplace(*role_);
    loop_.run();
  }

  const char* name_;
  ThreadDied died_;
  const ThreadRole* role_;
  AsioLoop loop_;
  std::thread thread_;
};

}  // namespace azora::orchestrator
