#pragma once
// Where the control thread asks whose listener answers. Implemented over the kernel, on a thread of its own
// (orchestrator/listener_desk.hpp), and by FakeListeners (tests, simulation).
// Guarantees: `done` is called at most once, on the control thread, never from within ask(). It is not called when the
// desk has closed, or while the kernel does not answer.
// Threads: the control thread. Fails: never; when the kernel cannot be asked, the answer is `unverified`.
#include <functional>

#include "azora/listeners/question.hpp"

namespace azora::listeners {

class Desk {
 public:
  using Done = std::function<void(Answer)>;
  virtual ~Desk() = default;
  virtual void ask(Question question, Done done) = 0;
};

}  // namespace azora::listeners
