#pragma once
// The published state: what every reader sees without visiting the control thread. Immutable versions that share all
// that did not change; one new version per turn that changed anything but figures, which lie beside it (model/figures).
// Threads: Board is a value; versions go through base/snapshot_cell.hpp.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "azora/base/cow_table.hpp"
#include "azora/base/persistent_map.hpp"
#include "azora/model/view.hpp"

namespace azora::orchestrator {

struct IdOfView {
  std::string_view operator()(const ViewPtr& view) const { return view->spec->id; }
};

struct Board {
  PersistentMap<ViewPtr, IdOfView> by_id;
  CowTable<const ServiceView> in_order;  // by registration order
  std::size_t healthy = 0;
  std::size_t unhealthy = 0;
  std::size_t alive = 0;            // services whose process may exist
  bool running = false;
  std::uint64_t version = 0;        // one more with each publication
  std::uint64_t list_version = 0;   // changes with membership, status or lifecycle of any service
  std::uint64_t topology = 0;       // changes with membership or configuration of any service
};

}  // namespace azora::orchestrator
