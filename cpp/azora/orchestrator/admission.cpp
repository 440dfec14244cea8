#include "azora/orchestrator/admission.hpp"

#include <utility>
#include <vector>

namespace azora::orchestrator {
namespace {

constexpr Millis kSlotHold{5'000};    // a start slot is free after this, ready or not
constexpr Millis kPermitLook{1'000};  // how often a refused kill asks again

}  // namespace

Admission::~Admission() {
  loop_.cancel(bucket_timer_);
  loop_.cancel(permit_timer_);
  for (const auto& [serial, timer] : slots_) loop_.cancel(timer);
}

void Admission::release(Serial serial) {
  bucket_.release(serial);
  const auto found = slots_.find(serial);
  if (found == slots_.end()) return;
  loop_.cancel(found->second);
  slots_.erase(found);
}

void Admission::admit(SteadyTime now, const Granted& granted) {
  loop_.cancel(std::exchange(bucket_timer_, 0));
  while (const std::optional<Serial> serial = bucket_.grant(now)) {
    hold(*serial, now);
    if (!granted(*serial)) release(*serial);
  }
  if (const std::optional<SteadyTime> next = bucket_.next(now)) {
    bucket_timer_ = loop_.at(*next, [this] {
      control_thread.assert_held();
      bucket_timer_ = 0;  // the end of this turn calls admit()
    });
  }
}

void Admission::hold(Serial serial, SteadyTime now) {
  TimerId& timer = slots_[serial];
  loop_.cancel(timer);
  timer = loop_.at(now + kSlotHold, [this, serial] {
    control_thread.assert_held();
    slots_.erase(serial);
    slot_expired_(serial);
  });
}

void Admission::begins_later(Serial serial) {
  const auto found = slots_.find(serial);
  if (found != slots_.end()) loop_.cancel(std::exchange(found->second, 0));
}

void Admission::begins_now(Serial serial, SteadyTime now) {
  if (slots_.contains(serial)) hold(serial, now);
}

void Admission::quit(Serial serial) {
  permits_.remove(serial);
  asking_.erase(serial);
  permits_moved_ = true;
}

void Admission::ask_permit(Serial serial) {
  asking_.insert(serial);
  permits_moved_ = true;
}

void Admission::drop_permit(Serial serial) {
  asking_.erase(serial);
  permits_.release(serial);
  permits_moved_ = true;
}

void Admission::grant_permits(SteadyTime now, const Granted& granted) {
  if (asking_.empty() || !std::exchange(permits_moved_, false)) return;
  for (const Serial serial : std::vector<Serial>(asking_.begin(), asking_.end())) {
    if (!permits_.permit(serial, now)) continue;
    asking_.erase(serial);
    if (!granted(serial)) permits_.release(serial);
  }
  if (!asking_.empty() && permit_timer_ == 0) {
    permit_timer_ = loop_.at(now + kPermitLook, [this] {
      control_thread.assert_held();
      permit_timer_ = 0;
      permits_moved_ = true;  // the end of this turn calls grant_permits()
    });
  }
}

}  // namespace azora::orchestrator
