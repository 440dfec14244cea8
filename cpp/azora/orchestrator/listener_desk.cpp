#include "azora/orchestrator/listener_desk.hpp"

#include "azora/listeners/look.hpp"

namespace azora::orchestrator {
namespace {

constexpr Millis kKept{10'000};

}  // namespace

void ListenerDesk::ask(listeners::Question question, Done done) {
  if (stopped_) return;
  if (Result<void> started = thread_.start(); !started) {
    control_.post([done = std::move(done), reason = started.error().message] {
      done({.kind = listeners::Answer::Kind::unverified, .reason = reason});
    });
    return;
  }
  thread_.loop().post([this, question, done = std::move(done)]() mutable {
    control_.post([done = std::move(done), answer = listeners::look(question, holders_)] { done(answer); });
    used_ = AsioLoop::steady_now();
    if (!forgets_ && !holders_.empty()) forget_later();
  });
}

void ListenerDesk::forget_later() {
  forgets_ = true;
  thread_.loop().at(used_ + kKept, [this] {
    if (used_ + kKept > AsioLoop::steady_now()) return forget_later();
    forgets_ = false;
    holders_.forget();
  });
}

void ListenerDesk::find_changed(std::vector<listeners::Seen> seen, Changed done) {
  if (stopped_ || !thread_.start()) return;
  thread_.loop().post([this, seen = std::move(seen), done = std::move(done)]() mutable {
    control_.post([done = std::move(done), others = listeners::find_changed(seen)] { done(others); });
  });
}

void ListenerDesk::stop() {
  stopped_ = true;
  thread_.stop();
}

}  // namespace azora::orchestrator
