#pragma once
// All that follows from who listens at the addresses of process services (R52): whose answer a check got, listeners
// that change hands, and ports that are given up.
// Threads: the control thread. Ownership: borrows loop, fleet, turn and desk, which outlive it. Fails: never.
#include <cstdint>
#include <functional>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/listener_watch.hpp"
#include "azora/orchestrator/ownership.hpp"
#include "azora/orchestrator/port_evidence.hpp"
#include "azora/orchestrator/turn.hpp"

namespace azora::orchestrator {

class Listening {
 public:
  // `settled` as in ownership.hpp. `hurry` makes a check of this service due at once.
  Listening(Loop& loop, Fleet& fleet, Turn& turn, Ownership::Settled settled,
            const std::function<void(const ServiceState&)>& hurry);

  // Without a desk the kernel is not asked, and every answer is believed.
  void set_desk(listeners::Desk& desk) AZORA_CONTROL;

  // A reader saw another program where this service should listen.
  void doubt(std::uint64_t serial) AZORA_CONTROL;

  Ownership& ownership() AZORA_CONTROL { return ownership_; }
  PortEvidence& ports() { return ports_; }

 private:
  bool watches(std::uint64_t serial) const AZORA_CONTROL;
  void on_change(std::uint64_t serial) AZORA_CONTROL;

  Fleet& fleet_;
  std::function<void(const ServiceState&)> hurry_;
  ListenerWatch watch_;
  PortEvidence ports_;
  Ownership ownership_;
};

}  // namespace azora::orchestrator
