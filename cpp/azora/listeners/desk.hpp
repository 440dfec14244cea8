#pragma once
// Where the control thread asks whose listener answers. Implemented over the kernel, on a thread of its own
// (orchestrator/listener_desk.hpp), and by FakeListeners (tests, simulation).
// Guarantees: `done` is called at most once, on the control thread, never from within the call. It is not called when
// the desk has closed, or while the kernel does not answer.
// Threads: the control thread. Fails: never; when the kernel cannot be asked, the answer is `unverified`, and nothing
// has changed.
#include <cstdint>
#include <functional>
#include <vector>

#include "azora/listeners/change.hpp"
#include "azora/listeners/question.hpp"

namespace azora::listeners {

class Desk {
 public:
  using Done = std::function<void(Answer)>;
  virtual ~Desk() = default;
  virtual void ask(Question question, Done done) = 0;
  using Changed = std::function<void(const std::vector<Seen>& others)>;
  // Which of these have other sockets at their port now. Asks the kernel once, however many they are.
  virtual void find_changed(std::vector<Seen> seen, Changed done) = 0;
};

}  // namespace azora::listeners
