#pragma once
// The published state: what every reader sees without visiting the control thread. Versions are immutable and share
// everything that did not change. A turn makes a new version if it changed more than figures; figures lie beside it
// (model/figures).
// Threads: Board is a value; versions go through base/snapshot_cell.hpp.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/cow_table.hpp"
#include "azora/base/persistent_map.hpp"
#include "azora/healing/permit.hpp"
#include "azora/model/view.hpp"

namespace azora::orchestrator {

struct IdOfView {
  std::string_view operator()(const ViewPtr& view) const { return view->spec->id; }
};

// An entry with replicas. An entry that is a single service is found by its id alone.
struct EntryOnBoard {
  SpecPtr spec;                       // as it was written
  std::vector<std::string> services;  // ids of its instances, by index
};
using EntryOnBoardPtr = std::shared_ptr<const EntryOnBoard>;

struct IdOfEntry {
  std::string_view operator()(const EntryOnBoardPtr& entry) const { return entry->spec->id; }
};

struct Board {
  PersistentMap<ViewPtr, IdOfView> by_id;
  PersistentMap<EntryOnBoardPtr, IdOfEntry> entries;
  CowTable<const ServiceView> in_order;  // by registration order
  // The entry of that name as it was written; null: there is none.
  SpecPtr entry(std::string_view name) const {
    if (const EntryOnBoardPtr* shown = entries.find(name)) return (*shown)->spec;
    const ViewPtr* view = by_id.find(name);
    return view == nullptr || (*view)->spec->entry ? nullptr : (*view)->spec;
  }

  // The services that a name stands for: all of an entry, by index, or the one with that id. Empty: none.
  std::vector<ViewPtr> services(std::string_view name) const {
    std::vector<ViewPtr> views;
    const EntryOnBoardPtr* shown = entries.find(name);
    if (shown == nullptr) {
      if (const ViewPtr* view = by_id.find(name)) views.push_back(*view);
      return views;
    }
    for (const std::string& id : (*shown)->services) {
      if (const ViewPtr* view = by_id.find(id)) views.push_back(*view);
    }
    return views;
  }

  std::size_t healthy = 0;
  std::size_t unhealthy = 0;
  std::size_t alive = 0;            // services whose process may exist
  // The mass brakes. Each holds until its `until` has passed. Null: there are none.
  std::shared_ptr<const std::vector<healing::KillPermits::Braking>> brakes;
  // Ended by themselves though they are wanted up and have an endpoint, by registration order; null: no services.
  std::shared_ptr<const std::vector<ViewPtr>> ended;
  // Believed though the kernel could not say whose listener answers (R52), likewise.
  std::shared_ptr<const std::vector<ViewPtr>> unverified;
  bool running = false;
  std::uint64_t version = 0;        // goes up by one with each publication
  std::uint64_t list_version = 0;   // changes with membership, status or lifecycle of any service
  std::uint64_t topology = 0;       // changes with membership or configuration of any service
};

}  // namespace azora::orchestrator
