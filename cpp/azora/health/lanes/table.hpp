#pragma once
// Which lane asks which kind of target: one row each.
// Threads: any (constant).
#include <memory>
#include <span>
#include <string_view>

#include "azora/health/lanes/lane.hpp"

namespace azora::health {

struct LaneRow {
  ProbeKind kind;
  std::string_view scheme;  // of the endpoint; empty: any
  // Rows with the same one share its lane.
  std::unique_ptr<Lane> (*make)(const Lane::World& world);
};

// The first row that fits counts. Kinds that are not asked over the network have none.
std::span<const LaneRow> lane_table();

}  // namespace azora::health
