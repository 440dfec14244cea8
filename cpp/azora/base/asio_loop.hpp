#pragma once
// Loop over one Boost.Asio io_context: a queue of tasks with one wake-up per batch, and one ordered set of
// timers behind a single Asio timer (a timer object each would cost two system calls per arming).
// A turn is one batch of tasks, or of timers that came due, or one turn() call; the turn-end hook runs after it.
// Threads: post(), stop() and now() from any thread; run() makes its caller the loop's thread, and all else
// belongs to that thread (or to the owner while no thread runs the loop).
// Ownership: tasks and timers that never ran are destroyed with the loop. A caller that waits for a posted task gives
// it an object whose destructor answers, too: the task may be destroyed before it has run to its end.
// Fails: never; an exception of a task or of the loop itself is reported and counted, and the loop goes on.
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/mutex.hpp"

namespace azora {

class AsioLoop : public Loop {
 public:
  AsioLoop();
  ~AsioLoop() override;
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;

  // The clocks of every AsioLoop, for threads that have no loop. Any thread.
  static SteadyTime steady_now();
  static WallTime wall_now();
  Now now() override;
  void post(Task task) override;
  TimerId at(SteadyTime at, Task task) override;
  void cancel(TimerId id) override;

  // Returns after stop(). May be called again; tasks that were left over run then.
  void run();
  // Ends run() after the current batch. Before run(): the next run() returns at once.
  void stop();
  // Called after every turn, before the thread waits again. Set before run().
  void set_turn_end(Task hook) { turn_end_ = std::move(hook); }
  // Runs `task` here and now as a turn of its own: for handlers of descriptors on io_context().
  // Inside a turn it is part of that turn.
  void turn(const Task& task);
  // True on the thread that is inside run().
  bool on_loop_thread() const;
  // For descriptors that live on this loop's thread; wrap their handlers in turn().
  boost::asio::io_context& io_context() { return io_; }
  // Exceptions that were reported. Any thread.
  std::uint64_t exceptions() const { return exceptions_.load(std::memory_order_relaxed); }

 private:
  using TimerKey = std::pair<SteadyTime, TimerId>;

  void run_posted();
  void on_timer();
  void arm();
  bool run_until_stopped();
  void run_one(const Task& task) noexcept;
  void report_failure() noexcept;
  void begin_turn() { ++depth_; }
  void end_turn();

  boost::asio::io_context io_{1};  // one thread runs it
  boost::asio::steady_timer timer_{io_};
  SteadyTime armed_for_ = SteadyTime::max();
  std::map<TimerKey, Task> timers_;
  std::unordered_map<TimerId, SteadyTime> timer_times_;
  TimerId last_timer_ = 0;
  Task turn_end_;
  int depth_ = 0;
  std::vector<Task> batch_;  // being run; kept for its capacity
  std::atomic<std::thread::id> thread_{};
  std::atomic<std::uint64_t> exceptions_{0};

  Mutex mutex_;
  std::vector<Task> posted_ AZORA_GUARDED_BY(mutex_);
  bool wake_up_sent_ AZORA_GUARDED_BY(mutex_) = false;
};

}  // namespace azora
