#include "azora/health/lanes/table.hpp"

#include <array>

#include "azora/health/lanes/https_lane.hpp"
#include "azora/health/lanes/socket_lane.hpp"

namespace azora::health {
namespace {

template <typename Made>
std::unique_ptr<Lane> make(const Lane::World& world) {
  return std::make_unique<Made>(world);
}

constexpr auto kLanes = std::to_array<LaneRow>({
    {ProbeKind::http, "https", make<HttpsLane>},
    {ProbeKind::http, "", make<SocketLane>},
    {ProbeKind::tcp, "", make<SocketLane>},
});

}  // namespace

std::span<const LaneRow> lane_table() { return kLanes; }

}  // namespace azora::health
