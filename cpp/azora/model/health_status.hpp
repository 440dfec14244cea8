#pragma once
// What we believe about a service: the seed's four words.
#include <cstdint>
#include <string_view>

namespace azora {

enum class HealthStatus : std::uint8_t { unknown, healthy, degraded, unhealthy };

constexpr std::string_view wire_name(HealthStatus status) {
  switch (status) {
    case HealthStatus::unknown: return "unknown";
    case HealthStatus::healthy: return "healthy";
    case HealthStatus::degraded: return "degraded";
    case HealthStatus::unhealthy: return "unhealthy";
  }
  return "unknown";
}

}  // namespace azora
