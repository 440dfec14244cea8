#include "azora/balancer/types.hpp"

namespace azora::balancer {

std::optional<Strategy> strategy_from_wire(std::string_view name) {
  for (std::size_t i = 0; i < kStrategyCount; ++i) {
    const auto strategy = static_cast<Strategy>(i);
    if (wire_name(strategy) == name) return strategy;
  }
  return std::nullopt;
}

std::string strategy_choices() {
  std::string text;
  for (std::size_t i = 0; i < kStrategyCount; ++i) {
    if (i > 0) text += i + 1 == kStrategyCount ? " or " : ", ";
    text += wire_name(static_cast<Strategy>(i));
  }
  return text;
}

}  // namespace azora::balancer
