#include "azora/health/lanes/lane_set.hpp"

#include <algorithm>

namespace azora::health {

LaneSet::Index LaneSet::index_of(const ProbeTarget& target) {
  const auto row = std::find_if(rows_.begin(), rows_.end(), [&](const LaneRow& one) {
    return one.kind == target.kind && (one.scheme.empty() || one.scheme == target.scheme);
  });
  if (row == rows_.end()) return kNone;
  Index& known = lane_of_row_[static_cast<std::size_t>(row - rows_.begin())];
  if (known != kNone) return known;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].make == row->make && lane_of_row_[i] != kNone) return known = lane_of_row_[i];
  }
  known = static_cast<Index>(lanes_.size());
  Lane::World world = world_;
  world.event_tag = (std::uint64_t{known} + 1) << Lane::kTagShift;
  lanes_.push_back(row->make(world));
  return known;
}

std::optional<SteadyTime> LaneSet::next() const {
  std::optional<SteadyTime> first;
  for (const std::unique_ptr<Lane>& lane : lanes_) {
    const std::optional<SteadyTime> next = lane->next();
    if (next && (!first || *next < *first)) first = next;
  }
  return first;
}

}  // namespace azora::health
