#include "azora/orchestrator/listener_desk.hpp"

#include "azora/listeners/look.hpp"

namespace azora::orchestrator {

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
  });
}

void ListenerDesk::stop() {
  stopped_ = true;
  thread_.stop();
}

}  // namespace azora::orchestrator
