#pragma once
// What is asked of the kernel about the listener of a service: who listens at its address.
// Threads: the control thread. Ownership: none. Fails: never.
#include <optional>

#include "azora/listeners/question.hpp"
#include "azora/orchestrator/service_state.hpp"

namespace azora::orchestrator {

// nullopt: it has no local address that must belong to it (it is not a process service, has no endpoint or one
// elsewhere).
inline std::optional<listeners::Question> listener_question(const ServiceState& service) {
  if (!service.process() || !service.spec->endpoint) return std::nullopt;
  return listeners::question_about(service.spec->target.host, service.spec->target.port, service.own->pid.value_or(0));
}

}  // namespace azora::orchestrator
