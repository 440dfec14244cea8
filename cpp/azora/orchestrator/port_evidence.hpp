#pragma once
// Evidence lets a service leave FAILED: the address that another program held is free. The kernel is asked who listens
// there when the service has failed, and again when other sockets listen there (listener_watch.hpp).
// Threads: the control thread. Ownership: borrows fleet, watch and desk, which outlive it. Fails: never; while the desk
// is silent, nothing is found.
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

#include "azora/base/thread_role.hpp"
#include "azora/listeners/desk.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/listener_watch.hpp"

namespace azora::orchestrator {

class PortEvidence {
 public:
  PortEvidence(Fleet& fleet, ListenerWatch& watch) : fleet_(fleet), watch_(watch) {}
  PortEvidence(const PortEvidence&) = delete;
  PortEvidence& operator=(const PortEvidence&) = delete;

  // `found` is called with a failed service whose address was given up.
  void set_found(std::function<void(ServiceState&)> found) { found_ = std::move(found); }
  // Without a desk nothing is asked.
  void set_desk(listeners::Desk& desk) AZORA_CONTROL { desk_ = &desk; }
  void set_failed(std::uint64_t serial, bool failed) AZORA_CONTROL;
  bool watches(std::uint64_t serial) const AZORA_CONTROL { return failed_.contains(serial); }
  // Other sockets listen at the address of a service that is watched.
  void listener_changed(std::uint64_t serial) AZORA_CONTROL;

 private:
  struct Port {
    bool held = false;           // by another program, when the kernel was asked last
    std::uint64_t question = 0;  // the number of the last one
  };
  void on_answer(std::uint64_t serial, std::uint64_t question, const listeners::Answer& answer) AZORA_CONTROL;

  Fleet& fleet_;
  ListenerWatch& watch_;
  std::function<void(ServiceState&)> found_;
  listeners::Desk* desk_ AZORA_OF_CONTROL = nullptr;
  std::unordered_map<std::uint64_t, Port> failed_ AZORA_OF_CONTROL;  // by serial
  std::uint64_t last_question_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
