#include "azora/base/asio_loop.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "azora/base/check.hpp"

namespace azora {

AsioLoop::AsioLoop() = default;
AsioLoop::~AsioLoop() = default;

SteadyTime AsioLoop::steady_now() {
  return std::chrono::time_point_cast<Nanos>(std::chrono::steady_clock::now());
}

WallTime AsioLoop::wall_now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return WallTime{std::chrono::duration_cast<Millis>(since).count()};
}

Now AsioLoop::now() { return Now{steady_now(), wall_now()}; }

void AsioLoop::post(Task task) {
  {
    MutexLock lock(mutex_);
    posted_.push_back(std::move(task));
    if (wake_up_sent_) return;
    wake_up_sent_ = true;
  }
  try {
    boost::asio::post(io_, [this] { run_posted(); });
  } catch (...) {
    MutexLock lock(mutex_);
    wake_up_sent_ = false;  // the task is kept: the next post() wakes the loop for both
    report_exception("loop", std::current_exception());
  }
}

TimerId AsioLoop::at(SteadyTime at, Task task) {
  AZORA_ASSERT(on_loop_thread() || thread_.load() == std::thread::id{});
  const TimerId id = ++last_timer_;
  timers_.emplace(TimerKey{at, id}, std::move(task));
  timer_times_.emplace(id, at);
  // Inside a turn the timer is armed once, at its end.
  if (depth_ == 0) arm();
  return id;
}

void AsioLoop::cancel(TimerId id) {
  AZORA_ASSERT(on_loop_thread() || thread_.load() == std::thread::id{});
  const auto found = timer_times_.find(id);
  if (found == timer_times_.end()) return;
  timers_.erase(TimerKey{found->second, id});
  timer_times_.erase(found);
  // The Asio timer may now fire once with no timer due; that is cheaper than arming it anew at every cancel.
}

void AsioLoop::run() {
  thread_.store(std::this_thread::get_id());
  {
    const auto guard = boost::asio::make_work_guard(io_);
    while (!run_until_stopped()) {
    }
  }
  io_.restart();
  thread_.store(std::thread::id{});
}

// False when an exception of the loop itself ended it, such as no memory for a timer. run() calls it again.
bool AsioLoop::run_until_stopped() {
  try {
    depth_ = 0;
    arm();
    io_.run();
    return true;
  } catch (...) {
    report_failure();
    return false;
  }
}

void AsioLoop::stop() { io_.stop(); }

void AsioLoop::turn(const Task& task) {
  begin_turn();
  run_one(task);
  end_turn();
}

bool AsioLoop::on_loop_thread() const { return thread_.load() == std::this_thread::get_id(); }

void AsioLoop::run_posted() {
  {
    MutexLock lock(mutex_);
    batch_.swap(posted_);
    wake_up_sent_ = false;
  }
  begin_turn();
  for (Task& task : batch_) {
    run_one(task);
    task = nullptr;  // destroys what the task captured before the next task runs
  }
  batch_.clear();
  end_turn();
}

void AsioLoop::on_timer() {
  armed_for_ = SteadyTime::max();
  const SteadyTime now = this->now().steady;
  // Timers set by these tasks wait for the next turn, even when already due.
  std::vector<TimerKey> due;
  for (auto it = timers_.begin(); it != timers_.end() && it->first.first <= now; ++it) {
    due.push_back(it->first);
  }
  if (due.empty()) {
    arm();
    return;
  }
  begin_turn();
  for (const TimerKey& key : due) {
    auto node = timers_.extract(key);
    if (node.empty()) continue;  // an earlier task cancelled this timer
    timer_times_.erase(key.second);
    run_one(node.mapped());
  }
  end_turn();
}

void AsioLoop::arm() {
  if (timers_.empty()) return;
  const SteadyTime first = timers_.begin()->first.first;
  if (first >= armed_for_) return;
  timer_.expires_at(first);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
  armed_for_ = first;  // set last: if a call above throws, nothing counts as armed
}

void AsioLoop::run_one(const Task& task) noexcept {
  try {
    task();
  } catch (...) {
    report_failure();
  }
}

void AsioLoop::report_failure() noexcept {
  exceptions_.fetch_add(1, std::memory_order_relaxed);
  report_exception("loop", std::current_exception());
}

void AsioLoop::end_turn() {
  if (depth_ == 1 && turn_end_) run_one(turn_end_);
  if (--depth_ == 0) arm();
}

}  // namespace azora
