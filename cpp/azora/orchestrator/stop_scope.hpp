#pragma once
// Which services a stop of everything stops. With orphanPolicy keep a process outlives the end of a durable
// orchestrator: the next one takes it over.
// Threads: any. Ownership: values. Fails: never.
#include <cstdint>

#include "azora/orchestrator/service_state.hpp"

namespace azora::orchestrator {

enum class StopScope : std::uint8_t {
  all,
  not_kept,
};

inline bool is_within(const ServiceState& service, StopScope scope) {
  // One that was unregistered ends in any case.
  return scope == StopScope::all || service.leaving || !service.spec->outlives_stop;
}

}  // namespace azora::orchestrator
