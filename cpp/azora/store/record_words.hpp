#pragma once
// The words of each enum that records hold, in the order of its values.
// Threads: any. Fails: never.
#include <array>
#include <concepts>
#include <string_view>

#include "azora/model/health_status.hpp"
#include "azora/model/lifecycle.hpp"
#include "azora/model/owner_state.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::store {

template <typename Enum>
concept Word = std::is_enum_v<Enum>;

// The argument only says which enum is meant.
constexpr auto words_of(Lifecycle) {
  std::array<std::string_view, kLifecycleCount> words;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = wire_name(static_cast<Lifecycle>(i));
  return words;
}
constexpr std::array<std::string_view, 3> words_of(Desired) { return {"up", "down", "hold"}; }
constexpr std::array<std::string_view, 3> words_of(DrainThen) { return kDrainThenNames; }
constexpr std::array<std::string_view, 4> words_of(HealthStatus) { return {"unknown", "healthy", "degraded", "unhealthy"}; }
constexpr std::array<std::string_view, 3> words_of(Origin) { return {"file", "python", "rest"}; }

}  // namespace azora::store
