#pragma once
// What a pick looks up: pools by name, and services that answer to their own id.
// Threads: published by the control thread, read by any. Ownership: shared versions. Fails: never.
#include <memory>
#include <string_view>

#include "azora/balancer/pool.hpp"
#include "azora/base/persistent_map.hpp"
#include "azora/base/snapshot_cell.hpp"

namespace azora::balancer {

struct NameOfPool {
  std::string_view operator()(const std::shared_ptr<Pool>& pool) const { return pool->name(); }
};
struct IdOfInstance {
  std::string_view operator()(const std::shared_ptr<Instance>& instance) const { return instance->id(); }
};

struct Directory {
  using Pools = PersistentMap<std::shared_ptr<Pool>, NameOfPool>;
  using Ones = PersistentMap<std::shared_ptr<Instance>, IdOfInstance>;

  SnapshotCell<Pools> pools{std::make_shared<const Pools>()};
  SnapshotCell<Ones> ones{std::make_shared<const Ones>()};
};

}  // namespace azora::balancer
