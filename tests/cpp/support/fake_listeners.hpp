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
  void set(std::uint16_t port, Answer answer) {
    answers_[port] = std::move(answer);
    ++versions_[port];
  }
  void set_foreign(std::uint16_t port, std::string holder = "pid 123 (python3)") {
    set(port, {.kind = Answer::Kind::foreign, .holder = std::move(holder)});
  }
  void unset(std::uint16_t port) {
    if (answers_.erase(port) != 0) ++versions_[port];
  }
  void clear() {
    while (!answers_.empty()) unset(answers_.begin()->first);
  }
  Answer now(std::uint16_t port) const {
    const auto found = answers_.find(port);
    Answer answer = found == answers_.end() ? Answer{.kind = Answer::Kind::ours} : found->second;
    answer.sockets = version(port);
    return answer;
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

  void find_changed(std::vector<Seen> seen, Changed done) override {
    ++looks;
    const Nanos delay = delay_ ? delay_() : Nanos(0);
    if (delay == Nanos::max()) return;
    const auto answer = [this, seen = std::move(seen), done = std::move(done)] {
      std::vector<Seen> others;
      for (const Seen& one : seen) {
        if (version(one.port) != one.sockets) others.push_back(one);
      }
      done(others);
    };
    delay == Nanos(0) ? loop_.post(answer) : (void)loop_.at(loop_.now().steady + delay, answer);
  }

  std::vector<Question> asked;
  std::uint64_t looks = 0;  // find_changed()

 private:
  // Changes with every set() and unset(): then other sockets listen.
  std::uint64_t version(std::uint16_t port) const {
    const auto found = versions_.find(port);
    return found == versions_.end() ? 0 : found->second;
  }

  Loop& loop_;
  std::map<std::uint16_t, Answer> answers_;
  std::map<std::uint16_t, std::uint64_t> versions_;
  std::function<Nanos()> delay_;
};

}  // namespace azora::listeners
