#include "azora/orchestrator/self_watch.hpp"

#include <utility>

namespace azora::orchestrator {
namespace {

constexpr Millis kBlindAfter{1'000};
constexpr Millis kSettled{1'000};
constexpr Millis kQuiet{10'000};

std::string down_text(const std::string& reason) {
  return "processes cannot be started, stopped or watched, because the link to the keeper is down: " + reason;
}

std::string settling_text(const std::string& reason) {
  return "the link to the keeper was lost and has been back for less than " +
         std::to_string(kSettled.count() / 1000) + " s: " + reason;
}

}  // namespace

SelfWatch::~SelfWatch() {
  loop_.cancel(link_timer_);
  loop_.cancel(stall_timer_);
}

void SelfWatch::on_link(bool up, std::string reason) {
  control_thread.assert_held();
  up ? on_link_up() : on_link_down(std::move(reason));
}

void SelfWatch::on_link_down(std::string reason) {
  link_reason_ = std::move(reason);
  self_.set(Part::keeper, down_text(link_reason_));
  if (std::exchange(link_, Link::down) == Link::down) return;
  loop_.cancel(link_timer_);
  link_timer_ = loop_.at(loop_.now().steady + kBlindAfter, [this] {
    control_thread.assert_held();
    link_timer_ = 0;
    blind_ = true;
    link_changed_(false);
  });
}

void SelfWatch::on_link_up() {
  if (link_ != Link::down) return;
  link_ = Link::settling;
  self_.set(Part::keeper, settling_text(link_reason_));
  loop_.cancel(link_timer_);
  link_timer_ = loop_.at(loop_.now().steady + kSettled, [this] {
    control_thread.assert_held();
    link_timer_ = 0;
    link_ = Link::up;
    self_.clear(Part::keeper);
  });
  if (std::exchange(blind_, false)) link_changed_(true);
}

void SelfWatch::on_stalls(std::uint64_t count) {
  control_thread.assert_held();
  if (std::exchange(stalls_, count) == count) return;
  self_.set(Part::loop, "the control thread was late by more than a second within the last " +
                            std::to_string(kQuiet.count() / 1000) + " s; checks made in that time do not count");
  loop_.cancel(stall_timer_);
  stall_timer_ = loop_.at(loop_.now().steady + kQuiet, [this] {
    control_thread.assert_held();
    stall_timer_ = 0;
    self_.clear(Part::loop);
  });
}

}  // namespace azora::orchestrator
