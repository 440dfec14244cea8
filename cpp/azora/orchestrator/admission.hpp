#pragma once
// Decides which services may start now, and which may be killed now for failed checks: the start bucket and the kill
// permits, with their timers. A slot of the bucket is held from the grant until release(), at most 5 s.
// Threads: the control thread. Ownership: borrows the loop, which outlives it. Fails: never; unknown serials are
// ignored.
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/healing/permit.hpp"
#include "azora/healing/start_bucket.hpp"

namespace azora::orchestrator {

class Admission {
 public:
  using Serial = std::uint64_t;
  // Called with each service that gets its start or permit; false: this service does not exist any more.
  using Granted = std::function<bool(Serial)>;

  // `slot_expired` is called when a slot was held for too long; release() makes the slot free again.
  Admission(Loop& loop, int max_concurrent, int per_second, std::function<void(Serial)> slot_expired)
      : loop_(loop), bucket_(max_concurrent, per_second), slot_expired_(std::move(slot_expired)) {}
  ~Admission();
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  void enter(Serial serial, int rank, int priority, SteadyTime now) AZORA_CONTROL {
    bucket_.enter(serial, rank, priority, now);
  }
  void leave(Serial serial) AZORA_CONTROL { bucket_.leave(serial); }
  void release(Serial serial) AZORA_CONTROL;
  // The start of this service is held up: the time of its slot begins only with begins_now().
  void begins_later(Serial serial) AZORA_CONTROL;
  void begins_now(Serial serial, SteadyTime now) AZORA_CONTROL;
  // Starts as many services as may start now. Its timer begins a turn, and the end of that turn calls this again.
  void admit(SteadyTime now, const Granted& granted) AZORA_CONTROL;

  // `group` empty: the service is alone in its group.
  void join(Serial serial, const std::string& group, Millis interval) AZORA_CONTROL {
    permits_.upsert(serial, group, interval);
  }
  void quit(Serial serial) AZORA_CONTROL;
  // The service became unhealthy. Returns the mass brake that begins because of this, if one does.
  std::optional<healing::KillPermits::Brake> turned_bad(Serial serial, SteadyTime now) AZORA_CONTROL {
    return permits_.turned_bad(serial, now);
  }
  // The mass brakes that hold now.
  std::vector<healing::KillPermits::Braking> braking(SteadyTime now) AZORA_CONTROL { return permits_.braking(now); }
  void recovered(Serial serial) AZORA_CONTROL { permits_.recovered(serial); }
  void ask_permit(Serial serial) AZORA_CONTROL;
  void drop_permit(Serial serial) AZORA_CONTROL;
  // The service is down by the kill of a former orchestrator.
  void keep_permit(Serial serial) AZORA_CONTROL { permits_.keep(serial); }
  // Asks again for all that wait for a permit, if something changed since the last time or a second passed.
  void grant_permits(SteadyTime now, const Granted& granted) AZORA_CONTROL;

 private:
  void hold(Serial serial, SteadyTime now) AZORA_CONTROL;

  Loop& loop_;
  healing::StartBucket bucket_ AZORA_OF_CONTROL;
  healing::KillPermits permits_ AZORA_OF_CONTROL;
  std::function<void(Serial)> slot_expired_;
  std::unordered_map<Serial, TimerId> slots_ AZORA_OF_CONTROL;  // timers of held slots; 0: its start is held up
  std::set<Serial> asking_ AZORA_OF_CONTROL;                    // services that wait for a permit
  bool permits_moved_ AZORA_OF_CONTROL = false;                 // a permit that was refused may be granted now
  TimerId bucket_timer_ AZORA_OF_CONTROL = 0;
  TimerId permit_timer_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
