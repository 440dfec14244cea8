#include "azora/balancer/types.hpp"

namespace azora::balancer {

std::optional<Strategy> strategy_from_wire(std::string_view name) {
  for (std::size_t i = 0; i < kStrategyCount; ++i) {
    const auto strategy = static_cast<Strategy>(i);
    if (wire_name(strategy) == name) return strategy;
  }
  return std::nullopt;
}

}  // namespace azora::balancer
