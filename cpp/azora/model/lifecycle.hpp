#pragma once
// What we are doing about a service, and what its owner wants. Spelled in upper case on the wire.
#include <array>
#include <cstdint>
#include <string_view>

namespace azora {

enum class Lifecycle : std::uint8_t {
  watching,  // we have no action: it is only probed and picked
  idle,      // desired down, and proven to have no process
  blocked,   // wanted up, but held by a hard dependency or the start bucket
  starting,  // action issued, not ready yet
  ready,     // running; probes decide the status
  stopping,  // stop signal sent
  killing,   // SIGKILL sent
  stuck,     // SIGKILL did not end it within killTimeout (D state)
  sweep,     // main is dead; descendants are being proven gone
  backoff,   // waiting until the next attempt
  failed,    // its budget is spent; evidence ends this
  done,      // clean exit under on-failure or never
  adopt,     // found running after our own restart; its first probe has not answered
};
inline constexpr int kLifecycleCount = 13;

constexpr std::string_view wire_name(Lifecycle state) {
  constexpr std::array<std::string_view, kLifecycleCount> names = {
      "WATCHING", "IDLE",  "BLOCKED", "STARTING", "READY", "STOPPING", "KILLING",
      "STUCK",    "SWEEP", "BACKOFF", "FAILED",   "DONE",  "ADOPT"};
  return names[static_cast<std::size_t>(state)];
}

enum class Desired : std::uint8_t { up, down, hold };

constexpr std::string_view wire_name(Desired desired) {
  switch (desired) {
    case Desired::up: return "up";
    case Desired::down: return "down";
    case Desired::hold: return "hold";
  }
  return "up";
}

}  // namespace azora
