#pragma once
// The fleet that a store holds, as values: the records of a former orchestrator with their configurations parsed again.
// Threads: any; a pure function. Ownership: values. Fails: with storage_failed, naming each entry and service that does
// not make sense. Then nothing is lost: the store is left as it is.
#include <cstdint>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/registry/registry.hpp"
#include "azora/store/records.hpp"

namespace azora::orchestrator {

struct StoredService {
  SpecPtr spec;
  store::ServiceRecord record;
};

struct StoredFleet {
  store::HeadsRecord heads;
  std::vector<registry::Entry> entries;  // by order, each with those of its instances that were registered
  std::vector<StoredService> services;   // registered ones by order, then those that were leaving
};

Result<StoredFleet> read_stored(store::State state);

}  // namespace azora::orchestrator
