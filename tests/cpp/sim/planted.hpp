#pragma once
// Which mutant the test has planted. Only the mutated copies of the core's sources (plant.cmake) ask.
// Threads: the test's.
#include <string_view>

namespace azora::sim {

inline constinit std::string_view planted_mutant;

inline bool planted(std::string_view name) { return planted_mutant == name; }

}  // namespace azora::sim
