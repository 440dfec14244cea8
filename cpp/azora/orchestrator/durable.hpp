#pragma once
// From what the control thread knows to what is stored, and back. Pure: records are values, time is an argument.
// Threads: any. Ownership: values. Fails: restore() and machine_of() with storage_failed when a record holds a word or a
// number that this program does not know; nothing is changed then.
#include <cstdint>
#include <optional>

#include "azora/base/result.hpp"
#include "azora/orchestrator/service_state.hpp"
#include "azora/orchestrator/verbs.hpp"
#include "azora/registry/registry.hpp"
#include "azora/store/records.hpp"

namespace azora::orchestrator {

// Moments are stored as distances from `now`.
store::MachineRecord record_of(const healing::Machine& machine, SteadyTime now);
// `now`: of the reading; `written`: the wall time of the record.
Result<healing::Machine> machine_of(const store::MachineRecord& record, Now now, WallTime written);

struct ServiceFacts {
  const ServiceState& service;
  std::optional<std::uint32_t> ordinal;  // of the scheduler
  const StagedVerb* staged = nullptr;    // a verb of this service that waits
};
store::ServiceRecord record_of(const ServiceFacts& facts, Now now);
// Differs when what is durable of the service does, whatever the time is.
std::uint64_t durable_print(const ServiceFacts& facts);

// Into a state whose spec is set. The verb that waited is the caller's, staged_of() makes it.
Result<void> restore(ServiceState& service, const store::ServiceRecord& record, Now now);
Result<std::optional<StagedVerb>> staged_of(const store::ServiceRecord& record);

// `actor`: who wrote it.
store::EntryRecord entry_record_of(const registry::Entry& entry, std::string_view actor);

}  // namespace azora::orchestrator
