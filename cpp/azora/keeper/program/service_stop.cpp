#include "azora/keeper/program/service_stop.hpp"

#include "azora/keeper/program/descendants.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {
namespace {

// A process that moves from parent to parent is missed in one walk and found in the next.
constexpr int kWalks = 4;

}  // namespace

void ServiceStop::renew(const StopOrder& order, std::uint32_t orphan_timeout_ms) {
  over();
  launched_ = order;
  orphan_timeout_ms_ = orphan_timeout_ms;
  order_ = order;
  ordered_ = false;
  left_signalled_ = false;
  killing_ = false;
}

void ServiceStop::order(const StopOrder& order, int main) {
  if (killing_) return;
  if (ordered_ && order.timeout_ms > order_.timeout_ms) {
    kill_at_ns_ += std::int64_t{order.timeout_ms - order_.timeout_ms} * 1'000'000;
  } else {
    limit(order.timeout_ms);
  }
  carry_out(order, main);
  order_.timeout_ms = order.timeout_ms;
}

void ServiceStop::order_as_launched(int main) {
  if (killing_) return;
  limit(launched_.timeout_ms);
  carry_out(launched_, main);
}

// No process gets the signal of this order twice.
void ServiceStop::carry_out(const StopOrder& order, int main) {
  const bool again = ordered_ && order.signal == order_.signal;
  const bool wider = order.tree && !order_.tree;
  if (ordered_ && !again) signalled_.clear();
  if (!left_signalled_) order_ = order;
  ordered_ = true;
  if (main == 0) return;
  if (!again) signal_main(main);
  if (order.tree && (!again || wider)) signal_below(main);
}

void ServiceStop::kill() {
  killing_ = true;
  kill_at_ns_ = 0;
}

bool ServiceStop::spare_left() {
  if (killing_) return false;
  if (!ordered_ && !left_signalled_) limit(orphan_timeout_ms_);
  if (!left_signalled_) signal_below(0);
  left_signalled_ = true;
  return true;
}

void ServiceStop::over() {
  signalled_.clear();
  kill_at_ns_ = 0;
}

void ServiceStop::limit(std::uint32_t timeout_ms) {
  const std::int64_t until = sys::steady_ns() + std::int64_t{timeout_ms} * 1'000'000;
  if (kill_at_ns_ == 0 || until < kill_at_ns_) kill_at_ns_ = until;
}

// The kernel gives main's pid to no other process before we have waited for it.
void ServiceStop::signal_main(int main) {
  sys::kill(main, order_.signal);
  sys::kill(main, SIGCONT);
}

void ServiceStop::signal_below(int main) {
  const std::uint64_t began = sys::boot_ticks();
  bool found = true;
  for (int i = 0; i < kWalks && found; ++i) {
    found = false;
    DescendantWalk walk;
    while (walk.next()) {
      const ProcessStat& process = walk.process();
      const bool late = i > 0 && process.start_ticks >= began;
      if (process.pid == main || late || signalled_.contains(process)) continue;
      found = true;
      signalled_.add(process);
      walk.signal(order_.signal);
      walk.signal(SIGCONT);
    }
  }
}

}  // namespace azora::keeper
