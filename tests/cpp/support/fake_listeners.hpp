#pragma once
// Desk for tests and the simulation: answers on the loop, in virtual time, as set per port (by default: ours), with what
// is so at the end of the delay, as the kernel would.
// Threads: the test's.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/listeners/desk.hpp"

namespace azora::listeners {

class FakeListeners : public Desk {
 public:
  explicit FakeListeners(Loop& loop) : loop_(loop) {}

  // From now on `port` is so.
  void set(std::uint16_t port, Answer answer) { answers_[port] = std::move(answer); }
  void set_foreign(std::uint16_t port, std::string holder = "pid 123 (python3)") {
    set(port, {.kind = Answer::Kind::foreign, .holder = std::move(holder)});
  }
  void unset(std::uint16_t port) { answers_.erase(port); }
  void clear() { answers_.clear(); }
  Answer now(std::uint16_t port) const {
    const auto found = answers_.find(port);
    return found == answers_.end() ? Answer{.kind = Answer::Kind::ours} : found->second;
  }
  // Every question takes so long; Nanos::max(): for ever.
  void set_delay(std::function<Nanos()> delay) { delay_ = std::move(delay); }
  std::function<void(const Question&, const Answer&)> on_answer;  // before it is told

  void ask(Question question, Done done) override {
    asked.push_back(question);
    const Nanos delay = delay_ ? delay_() : Nanos(0);
    if (delay == Nanos::max()) return;
    const auto answer = [this, question, done = std::move(done)] {
      const Answer given = now(question.port);
      if (on_answer) on_answer(question, given);
      done(given);
    };
    delay == Nanos(0) ? loop_.post(answer) : (void)loop_.at(loop_.now().steady + delay, answer);
  }

  std::vector<Question> asked;

 private:
  Loop& loop_;
  std::map<std::uint16_t, Answer> answers_;
  std::function<Nanos()> delay_;
};

}  // namespace azora::listeners
