#include "azora/orchestrator/listener_watch.hpp"

#include <algorithm>
#include <utility>

namespace azora::orchestrator {
namespace {

using listeners::Seen;

constexpr Millis kLook{5'000};
constexpr Millis kRarestLook{60'000};
constexpr int kShare = 50;  // a look takes at most this part of the time

}  // namespace

void ListenerWatch::watch(const Seen& seen) {
  if (desk_ == nullptr) return;
  seen_[seen.serial] = seen;
  if (timer_ == 0 && !looking_) set_timer(kLook);
}

void ListenerWatch::set_timer(Nanos span) {
  timer_ = loop_.at(loop_.now().steady + span, [this] {
    control_thread.assert_held();
    timer_ = 0;
    look();
  });
}

void ListenerWatch::look() {
  std::erase_if(seen_, [this](const auto& one) { return !wanted_(one.first); });
  if (seen_.empty()) return;
  std::vector<Seen> seen;
  seen.reserve(seen_.size());
  for (const auto& one : seen_) seen.push_back(one.second);
  looking_ = true;
  const SteadyTime asked = loop_.now().steady;
  desk_->find_changed(std::move(seen), [this, asked](const std::vector<Seen>& others) {
    control_thread.assert_held();
    looking_ = false;
    on_changes(others, loop_.now().steady - asked);
  });
}

void ListenerWatch::on_changes(const std::vector<Seen>& others, Nanos took) {
  for (const Seen& other : others) {
    const auto found = seen_.find(other.serial);
    if (found == seen_.end() || found->second != other) continue;  // meanwhile the kernel was asked anew
    seen_.erase(found);
    changed_(other.serial);
  }
  if (!seen_.empty() && timer_ == 0) set_timer(std::clamp<Nanos>(kShare * took, kLook, kRarestLook));
}

}  // namespace azora::orchestrator
