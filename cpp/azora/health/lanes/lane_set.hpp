#pragma once
// The lanes of one net thread. The table (table.hpp) makes a lane when the first target needs it. Each lane has a
// small number, which is also in the events of its descriptors.
// Threads: the net thread. Ownership: the lanes, which must end before the Lane::World they were made with.
// Fails: index_of() kNone for a target that is not asked over the network.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "azora/health/lanes/lane.hpp"
#include "azora/health/lanes/table.hpp"

namespace azora::health {

class LaneSet {
 public:
  using Index = std::uint8_t;
  static constexpr Index kNone = UINT8_MAX;

  // Each lane is made with `world`, except for the tag of its events.
  LaneSet(std::span<const LaneRow> rows, const Lane::World& world)
      : rows_(rows), world_(world), lane_of_row_(rows.size(), kNone) {}

  // The lane of a target, made if it is not there.
  Index index_of(const ProbeTarget& target);
  Lane& operator[](Index index) { return *lanes_[index]; }

  // The events of a lane's descriptor.
  void on_event(std::uint64_t data, std::uint32_t events, SteadyTime now) {
    constexpr std::uint64_t kOwn = (std::uint64_t{1} << Lane::kTagShift) - 1;
    lanes_[(data >> Lane::kTagShift) - 1]->on_event(data & kOwn, events, now);
  }
  void look(SteadyTime now) {
    for (const std::unique_ptr<Lane>& lane : lanes_) lane->look(now);
  }
  void advance(SteadyTime now) {
    for (const std::unique_ptr<Lane>& lane : lanes_) lane->advance(now);
  }
  // The first deadline of all lanes.
  std::optional<SteadyTime> next() const;

 private:
  const std::span<const LaneRow> rows_;
  const Lane::World world_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // in the order in which they were first needed
  std::vector<Index> lane_of_row_;            // by row of the table
};

}  // namespace azora::health
