#include "azora/orchestrator/shutdown.hpp"

#include <utility>

namespace azora::orchestrator {

void Shutdown::begin(SteadyTime deadline, StopScope scope, Done done) {
  control_thread.assert_held();
  const bool sooner = !under_way() || deadline < deadline_;
  if (!under_way() || scope == StopScope::all) scope_ = scope;
  callers_.push_back(std::move(done));
  if (!sooner) return;
  loop_.cancel(timer_);
  deadline_ = deadline;
  timer_ = loop_.at(deadline, [this] {
    control_thread.assert_held();
    timer_ = 0;
    overdue_();
  });
}

std::vector<Shutdown::Done> Shutdown::end() {
  control_thread.assert_held();
  loop_.cancel(std::exchange(timer_, 0));
  looks_.clear();
  return std::exchange(callers_, {});
}

void Shutdown::look_at(std::uint64_t serial) {
  control_thread.assert_held();
  if (under_way()) looks_.push_back(serial);
}

std::optional<std::uint64_t> Shutdown::take_look() {
  control_thread.assert_held();
  if (looks_.empty()) return std::nullopt;
  const std::uint64_t serial = looks_.back();
  looks_.pop_back();
  return serial;
}

}  // namespace azora::orchestrator
