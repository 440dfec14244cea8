#pragma once
// What the owner of a service asked for beside up and down. A drain takes it out of rotation and waits for its leases;
// what follows is stop, restart or nothing. Maintenance keeps it out of rotation and keeps our hands off it: it is
// checked, but neither started nor stopped by us.
// Threads: values. Fails: drain_then_from_wire() by nullopt.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "azora/base/time.hpp"

namespace azora {

// What follows when a drain is over.
enum class DrainThen : std::uint8_t {
  keep,     // nothing: it stays out of rotation until the drain is undone
  stop,
  restart,
};

inline constexpr std::array<std::string_view, 3> kDrainThenNames = {"keep", "stop", "restart"};

constexpr std::string_view wire_name(DrainThen then) { return kDrainThenNames[static_cast<std::size_t>(then)]; }

constexpr std::optional<DrainThen> drain_then_from_wire(std::string_view name) {
  for (std::size_t i = 0; i < kDrainThenNames.size(); ++i) {
    if (kDrainThenNames[i] == name) return static_cast<DrainThen>(i);
  }
  return std::nullopt;
}

struct Drain {
  DrainThen then = DrainThen::keep;
  WallTime since;
  Millis timeout{0};  // it is over after this, whatever leases are left
  bool done = false;  // it is over, and the service stays out of rotation
  friend bool operator==(const Drain&, const Drain&) = default;
};

struct Maintenance {
  std::string reason;
  WallTime since;
  std::optional<WallTime> until;  // nullopt: until its owner ends it
  friend bool operator==(const Maintenance&, const Maintenance&) = default;
};

struct OwnerState {
  std::optional<Drain> drain;
  std::optional<Maintenance> maintenance;
  friend bool operator==(const OwnerState&, const OwnerState&) = default;

  bool empty() const { return !drain && !maintenance; }
  // It still waits for leases.
  bool drains() const { return drain && !drain->done; }
};

}  // namespace azora
