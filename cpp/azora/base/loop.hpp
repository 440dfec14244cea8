#pragma once
// The clock and the queue of one thread: "what time is it", "do this next", "do this later".
// Production is AsioLoop (asio_loop.hpp); tests and the simulation use FakeLoop (tests/cpp/support).
// Threads: post() any thread; everything else the loop's own thread.
#include <cstdint>
#include <functional>

#include "azora/base/time.hpp"

namespace azora {

using TimerId = std::uint64_t;  // never reused; 0 is "no timer"
using Task = std::function<void()>;

class Loop {
 public:
  virtual ~Loop() = default;
  virtual Now now() = 0;
  // Runs `task` on the loop's thread, in order of posting.
  virtual void post(Task task) = 0;
  // Runs `task` once, not before `at`. A time in the past means: next turn.
  virtual TimerId at(SteadyTime at, Task task) = 0;
  // After cancel() returns the task will not run. Unknown or spent ids are ignored.
  virtual void cancel(TimerId id) = 0;
};

}  // namespace azora
