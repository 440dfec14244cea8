#pragma once
// Whose answer it is (R52): an answer to a check of a process service with a local endpoint is believed when the kernel
// says that the service itself listens there. It is asked before the first answer of a run counts, and again before the
// first one after a failed check, for whatever listens then may be another; never while checks just pass. Meanwhile the
// answer is held. One of another program is a failed check that names it.
// Where the kernel cannot say, and where nobody listens (twice in a row: something in front passes clients on), the
// answer is believed as it is.
// Threads: the control thread. Ownership: borrows loop, fleet and desk, which outlive it; what it knows lies with each
// service. Fails: never; a desk that is silent for 5 s counts as one that cannot say.
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
  // What an answer that was held counts as now.
  using Settled = std::function<void(ServiceState&, health::Check&, const health::ProbeResult&)>;
  Ownership(Loop& loop, Fleet& fleet, Settled settled) : loop_(loop), fleet_(fleet), settled_(std::move(settled)) {}
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

  // Without one nothing is asked and every answer is believed.
  void set_desk(listeners::Desk& desk) AZORA_CONTROL { desk_ = &desk; }
  // True: the answer waits for the kernel and counts later, or not at all when a newer one comes before.
  bool holds(ServiceState& service, const health::ProbeResult& result) AZORA_CONTROL;
  // Somebody saw another program there: the next answer is asked about again. True: it was believed until now.
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
