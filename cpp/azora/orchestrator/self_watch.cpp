#include "azora/orchestrator/self_watch.hpp"

#include <utility>

namespace azora::orchestrator {
namespace {

constexpr Millis kLinkPatience{1'000};
constexpr Millis kQuiet{10'000};

std::string link_trouble(const std::string& reason) {
  return "no process can be started, stopped or seen ending: the link to the keeper is down: " + reason;
}

}  // namespace

SelfWatch::~SelfWatch() {
  loop_.cancel(link_timer_);
  loop_.cancel(stall_timer_);
}

void SelfWatch::on_link(bool up, std::string reason) {
  control_thread.assert_held();
  if (up) {
    loop_.cancel(std::exchange(link_timer_, 0));
    self_.clear(Part::keeper);
    if (std::exchange(link_lost_, false)) link_changed_(true);
    return;
  }
  link_reason_ = std::move(reason);
  if (link_lost_) return self_.set(Part::keeper, link_trouble(link_reason_));
  if (link_timer_ != 0) return;
  link_timer_ = loop_.at(loop_.now().steady + kLinkPatience, [this] {
    control_thread.assert_held();
    link_timer_ = 0;
    link_lost_ = true;
    self_.set(Part::keeper, link_trouble(link_reason_));
    link_changed_(false);
  });
}

void SelfWatch::on_stalls(std::uint64_t count) {
  control_thread.assert_held();
  if (std::exchange(stalls_, count) == count) return;
  self_.set(Part::loop, "the control thread was late by more than a second within the last " +
                            std::to_string(kQuiet.count() / 1000) + " s; checks of that time do not count");
  loop_.cancel(stall_timer_);
  stall_timer_ = loop_.at(loop_.now().steady + kQuiet, [this] {
    control_thread.assert_held();
    stall_timer_ = 0;
    self_.clear(Part::loop);
  });
}

}  // namespace azora::orchestrator
