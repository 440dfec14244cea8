#pragma once
// Whose answer it is (R52): an answer to a check of a process service with a local endpoint is believed if the kernel
// says that the service itself listens there. The kernel is asked before the first answer of a run counts. It is asked
// again before the first answer after a failed check, because another program may listen by then. It is not asked while
// checks just pass. Until the kernel has answered, the answer is held. An answer of another program becomes a failed
// check that names this program.
// If the kernel cannot say, or if no program listens (twice in a row: something in front passes clients on), the answer
// is believed as it is.
// Threads: the control thread. Ownership: borrows loop, fleet and desk, which outlive it; its knowledge is kept with
// each service. Fails: never; if the desk is silent for 5 s, answers are believed until its word comes, except where its
// last word was that another program listens.
#include <cstdint>
#include <functional>
#include <utility>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/health/prober.hpp"
#include "azora/listeners/desk.hpp"
#include "azora/orchestrator/fleet.hpp"

namespace azora::orchestrator {

class Ownership {
 public:
  // Called with an answer that was held, in the form in which it counts now.
  using Settled = std::function<void(ServiceState&, health::Check&, const health::ProbeResult&)>;
  Ownership(Loop& loop, Fleet& fleet, Settled settled) : loop_(loop), fleet_(fleet), settled_(std::move(settled)) {}
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

  // Without a desk the kernel is not asked, and every answer is believed.
  void set_desk(listeners::Desk& desk) AZORA_CONTROL { desk_ = &desk; }
  // True: the answer is held. It counts later, or never if a newer answer comes first.
  bool holds(ServiceState& service, const health::ProbeResult& result) AZORA_CONTROL;
  // A reader saw another program there: the next answer is examined again. True: the service was believed until now.
  bool doubt(ServiceState& service) AZORA_CONTROL;

 private:
  void ask(ServiceState& service) AZORA_CONTROL;
  void on_answer(std::uint64_t serial, std::uint64_t question, const listeners::Answer& answer) AZORA_CONTROL;
  void settle(ServiceState& service, const listeners::Answer& answer) AZORA_CONTROL;

  Loop& loop_;
  Fleet& fleet_;
  Settled settled_;
  listeners::Desk* desk_ AZORA_OF_CONTROL = nullptr;
  std::uint64_t last_question_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
