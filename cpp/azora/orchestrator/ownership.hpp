#pragma once
// Whose answer it is (R52): an answer to a check of a process service with a local endpoint is believed if the kernel
// says that the service itself listens there. The kernel is asked before the first answer of a run counts. It is asked
// again before the first answer after a failed check, because another program may listen by then, and when other
// sockets listen than when it was asked last (listener_watch.hpp), never for each check. Until the kernel has answered,
// the answer is held. An answer of another program becomes a failed check that names this program.
// If the kernel cannot say, or if no program listens (twice in a row: something in front passes clients on), the answer
// is believed as it is.
// Threads: the control thread. Ownership: borrows loop, fleet, turn, watch and desk, which outlive it; its knowledge is
// kept with each service. Fails: never; if the desk is silent for 5 s, answers are believed until its word comes, except
// where its last word was that another program listens.
#include <cstdint>
#include <functional>
#include <utility>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/health/judge.hpp"
#include "azora/health/prober.hpp"
#include "azora/listeners/desk.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/listener_watch.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

class Ownership {
 public:
  // Called with an answer that was held, in the form in which it counts now.
  using Settled = std::function<void(ServiceState&, health::Check&, const health::ProbeResult&)>;
  // `unmasked` is called with a service that was believed while another program has taken its address.
  Ownership(Loop& loop, Fleet& fleet, Turn& turn, ListenerWatch& watch, Settled settled,
            std::function<void(const ServiceState&)> unmasked)
      : loop_(loop),
        fleet_(fleet),
        turn_(turn),
        watch_(watch),
        settled_(std::move(settled)),
        unmasked_(std::move(unmasked)) {}
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

  // Without a desk the kernel is not asked, and every answer is believed.
  void set_desk(listeners::Desk& desk) AZORA_CONTROL { desk_ = &desk; }
  // True: the answer is held. It counts later, or never if a newer answer comes first. `verdict`: of this answer.
  bool holds(ServiceState& service, const health::ProbeResult& result, health::Verdict verdict) AZORA_CONTROL;
  // A reader saw another program there: the next answer is examined again. True: the service was believed until now.
  bool doubt(ServiceState& service) AZORA_CONTROL;
  // The service is believed, so its listener is watched.
  bool watches(const ServiceState& service) const AZORA_CONTROL;
  // Other sockets listen at the address of a service that is watched: the kernel is asked whose they are.
  void listener_changed(ServiceState& service) AZORA_CONTROL;

 private:
  void ask(ServiceState& service) AZORA_CONTROL;
  void on_answer(std::uint64_t serial, std::uint64_t question, const listeners::Answer& answer) AZORA_CONTROL;
  void settle(ServiceState& service, const listeners::Answer& answer) AZORA_CONTROL;

  Loop& loop_;
  Fleet& fleet_;
  Turn& turn_;
  ListenerWatch& watch_;
  Settled settled_;
  std::function<void(const ServiceState&)> unmasked_;
  listeners::Desk* desk_ AZORA_OF_CONTROL = nullptr;
  std::uint64_t last_question_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
