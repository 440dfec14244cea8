#pragma once
// Callers that wait for a service, or for all instances of an entry, to be ready or stopped. A waiter is looked at when
// one of its services changed, and is answered once: it is so, it cannot become so, there is no such service, the time
// is over, or the program ends; then those that come later are answered with the same error by the next due().
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

class Waiters {
 public:
  using Done = std::function<void(Result<void>)>;
  using Answer = std::function<void()>;
  // One of the services that a waiter is about.
  struct Seen {
    std::string id;
    bool wanted_down = false;
    bool alive = false;   // a process of it may exist
    bool pending = false; // a verb for it waits for its turn
    bool done_job = false;     // it ended as it should, and has no endpoint: as good as ready (R55)
    std::string not_coming;    // why it will not be ready in time, as it is; empty: it may be
    Lifecycle lifecycle = Lifecycle::idle;
    HealthStatus status = HealthStatus::unknown;
    std::string last_error;
  };
  // All that a name stands for; empty: nothing is registered under it. `horizon`: until when it may still come.
  using Look = std::function<std::vector<Seen>(const std::string& name, SteadyTime horizon)>;

  explicit Waiters(Loop& loop) : loop_(loop) {}
  ~Waiters();
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;

  // `ready`: until it answers its checks; else until it has no process. `horizon`: what cannot come until then is
  // answered at once; later than the deadline where a caller waits in slices.
  void add(std::string name, bool ready, SteadyTime deadline, Done done, SteadyTime horizon = {});
  // This service changed: its waiters and those of its entry are looked at by the next due().
  void wake(const std::string& id);
  // One ended or failed for good: what needs it may wait in vain.
  void wake_all();
  bool empty() const {
    control_thread.assert_held();
    return waiters_.empty();
  }
  // The answers that are due now, to be given when this turn is published.
  std::vector<Answer> due(const Look& look);
  // All of them, with this error; and all that come later. For the end of the program.
  std::vector<Answer> abandon(Error error);

 private:
  struct Waiter {
    std::string name;
    bool ready = false;
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
