#pragma once
// Callers that wait until a service, or all instances of an entry, are ready, stopped or drained. A waiter is examined when one
// of its services changed. It is answered once: the condition is met, it cannot be met, the service does not exist, the
// time is over, or the program ends. After the program's end has begun, the next due() answers every later waiter with
// the same error.
// Threads: the control thread. Ownership: borrows the loop, which outlives it; keeps the callers' functions until they
// are answered. Fails: never.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/model/health_status.hpp"
#include "azora/model/lifecycle.hpp"

namespace azora::orchestrator {

// What a caller waits for.
enum class Goal : std::uint8_t {
  stopped,  // it has no process
  ready,    // it answers its checks
  drained,  // no drain of it is under way
};

class Waiters {
 public:
  using Done = std::function<void(Result<void>)>;
  using Answer = std::function<void()>;
  // The state of one service that a waiter waits for.
  struct Seen {
    std::string id;
    bool wanted_down = false;
    bool alive = false;   // a process of it may exist
    bool pending = false; // a verb for it waits for its turn, or for the end of its drain
    bool draining = false;
    bool done_job = false;     // a job that ended as it should: counts as ready (R55)
    std::string not_coming;    // why it will not be ready in time as things are; empty: it may be
    Lifecycle lifecycle = Lifecycle::idle;
    HealthStatus status = HealthStatus::unknown;
    std::string last_error;
  };
  // All services that a name stands for; empty: none is registered. `horizon`: until when one may become ready.
  using Look = std::function<std::vector<Seen>(const std::string& name, SteadyTime horizon)>;

  explicit Waiters(Loop& loop) : loop_(loop) {}
  ~Waiters();
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  // One who waits for a service that cannot be ready before `horizon` is answered at once. `horizon` is later than the
  // deadline if the caller waits in slices.
  // Returns the number by which cancel() knows it.
  std::uint64_t add(std::string name, Goal goal, SteadyTime deadline, Done done, SteadyTime horizon = {});
  // The caller has left: its function is dropped. Ignored if it was answered already.
  void cancel(std::uint64_t key);
  // This service changed: the next due() examines its waiters and those of its entry.
  void wake(const std::string& id);
  // A service ended or failed for good: callers that wait for its dependents may wait in vain.
  void wake_all();
  bool empty() const {
    control_thread.assert_held();
    return waiters_.empty();
  }
  // The answers that are due now. The caller gives them when this turn is published.
  std::vector<Answer> due(const Look& look);
  // Answers all waiters, now and later, with this error. For the end of the program.
  std::vector<Answer> abandon(Error error);

 private:
  struct Waiter {
    std::string name;
    Goal goal = Goal::ready;
    bool late = false;  // its time is over
    TimerId timer = 0;
    SteadyTime horizon{};
    Done done;
  };
  Waiter take(std::uint64_t key) AZORA_CONTROL;

  Loop& loop_;
  std::unordered_map<std::uint64_t, Waiter> waiters_ AZORA_OF_CONTROL;
  std::unordered_map<std::string, std::vector<std::uint64_t>> by_name_ AZORA_OF_CONTROL;  // their keys
  std::vector<std::uint64_t> woken_ AZORA_OF_CONTROL;
  std::uint64_t last_key_ AZORA_OF_CONTROL = 0;
  std::optional<Error> abandoned_ AZORA_OF_CONTROL;
};

}  // namespace azora::orchestrator
