// Delays between failure restarts, and the wire names of causes.
#include <algorithm>
#include <cmath>

#include "azora/base/hash.hpp"
#include "azora/healing/machine.hpp"

namespace azora::healing {

std::string_view wire_name(Cause cause) {
  switch (cause) {
    case Cause::none: return "start";  // nothing happened before it
    case Cause::crash: return "crash";
    case Cause::oom: return "oom";
    case Cause::clean: return "clean";
    case Cause::liveness: return "liveness";
    case Cause::start_timeout: return "startTimeout";
    case Cause::start_failed: return "startFailed";
    case Cause::lost: return "lost";
    case Cause::op: return "operator";
    case Cause::shutdown: return "shutdown";
    case Cause::dependency: return "dependency";
    case Cause::evidence: return "evidence";
  }
  return "start";
}

Millis backoff_delay(const RestartPolicy& policy, int attempt) {
  if (attempt < 1) return Millis(0);
  // Unset or 0: the first crash after stability heals at once, then 1 s, 2 s, 4 s ... A base of 0 would multiply to
  // no backoff at all.
  const bool has_base = policy.delay && *policy.delay > Millis(0);
  const int doublings = has_base ? attempt - 1 : attempt - 2;
  if (doublings < 0) return Millis(0);
  const double base = has_base ? static_cast<double>(policy.delay->count()) : 1000.0;
  // A restartDelay above restartMaxDelay is still never undercut.
  const double cap = std::max(has_base ? base : 0.0, static_cast<double>(policy.max_delay.count()));
  const double delay = base * std::pow(policy.factor, std::min(doublings, 64));
  return Millis(static_cast<std::int64_t>(std::min(delay, cap)));
}

Millis jitter(Millis delay, std::uint64_t key, std::uint64_t incarnation, int attempt) {
  const std::uint64_t random = mix64(key ^ mix64(incarnation * 2654435761U + static_cast<std::uint64_t>(attempt)));
  return Millis(static_cast<std::int64_t>(static_cast<double>(delay.count()) * 0.25 *
                                          (static_cast<double>(random >> 11) / 9007199254740992.0)));
}

}  // namespace azora::healing
