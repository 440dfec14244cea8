#include "azora/model/event.hpp"

#include <array>

namespace azora {
namespace {

// In enum order.
constexpr std::array<std::string_view, kEventTypeCount> kNames = {
    "healthCheck",     "serviceRegistered", "serviceUnregistered",
    "serviceHealthy",  "serviceDegraded",   "serviceUnhealthy",
    "serviceStarted",  "serviceStopped",    "serviceExited",
    "serviceBlocked",  "serviceRestarted",  "serviceFailed",
    "serviceFlapping", "serviceStuck",      "healingUnavailable",
    "massUnhealthy",   "callbackFailed",    "orchestratorDegraded",
    "orchestratorRecovered", "serviceDraining", "serviceDrained",
    "serviceUndrained", "maintenanceBegan", "maintenanceEnded",
    "gap"};

}  // namespace

std::string_view wire_name(EventType type) { return kNames[static_cast<std::size_t>(type)]; }

std::optional<EventType> event_type_from_wire(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<EventType>(i);
  }
  return std::nullopt;
}

}  // namespace azora
