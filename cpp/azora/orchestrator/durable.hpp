#pragma once
// Converts what the control thread knows into what is stored, and back. Pure: records are values, time is an argument.
// Threads: any. Ownership: values. Fails: restore() and machine_of() with storage_failed if a record holds a word or a
// number that this program does not know; then nothing is changed.
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
// `now`: the time of reading; `written`: the wall time of the record.
Result<healing::Machine> machine_of(const store::MachineRecord& record, Now now, WallTime written);

struct ServiceFacts {
  const ServiceState& service;
  std::optional<std::uint32_t> ordinal;  // from the scheduler
  const StagedVerb* staged = nullptr;    // the verb that waits for this service
};
store::ServiceRecord record_of(const ServiceFacts& facts, Now now);
// A number that changes when the stored part of the service changes, but not with time alone.
std::uint64_t durable_print(const ServiceFacts& facts);

// Restores into a state whose spec is set. The caller restores the verb that waited, with staged_of().
Result<void> restore(ServiceState& service, const store::ServiceRecord& record, Now now);
Result<std::optional<StagedVerb>> staged_of(const store::ServiceRecord& record);

// `actor`: who wrote the entry.
store::EntryRecord entry_record_of(const registry::Entry& entry, std::string_view actor);

}  // namespace azora::orchestrator
