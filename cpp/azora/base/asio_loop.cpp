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
  boost::asio::post(io_, [this] { run_posted(); });
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
  // The Asio timer may now fire for nothing once; cheaper than re-arming at every cancel.
}

void AsioLoop::run() {
  thread_.store(std::this_thread::get_id());
  {
    const auto guard = boost::asio::make_work_guard(io_);
    arm();
    io_.run();
  }
  io_.restart();
  thread_.store(std::thread::id{});
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
    task = nullptr;  // what it captured goes before the next one runs
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
    if (node.empty()) continue;  // cancelled by an earlier one
    timer_times_.erase(key.second);
    run_one(node.mapped());
  }
  end_turn();
}

void AsioLoop::arm() {
  if (timers_.empty()) return;
  const SteadyTime first = timers_.begin()->first.first;
  if (first >= armed_for_) return;
  armed_for_ = first;
  timer_.expires_at(first);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_timer();
  });
}

void AsioLoop::run_one(const Task& task) noexcept {
  try {
    task();
  } catch (...) {
    AZORA_ASSERT(false && "a task threw an exception");
  }
}

void AsioLoop::end_turn() {
  if (depth_ == 1 && turn_end_) run_one(turn_end_);
  if (--depth_ == 0) arm();
}

}  // namespace azora
