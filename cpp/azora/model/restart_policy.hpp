#pragma once
// When and how often a failed service is healed: fields `maxRestarts`, `restartDelay`, `restartPolicy`, ...
// of a service, validated. Values only.
#include <cstdint>
#include <optional>
#include <string_view>

#include "azora/base/hash.hpp"
#include "azora/base/time.hpp"

namespace azora {

enum class RestartOn : std::uint8_t { always, on_failure, never };

constexpr std::string_view wire_name(RestartOn on) {
  return on == RestartOn::always ? "always" : on == RestartOn::never ? "never" : "on-failure";
}

struct RestartPolicy {
  RestartOn on = RestartOn::on_failure;       // unset: always with an endpoint (R54)
  int max_restarts = 5;                       // failure-caused restarts per episode; 0 alert only; -1 no limit
  std::optional<Millis> delay;                // unset: 0, 1, 2, 4, ... s
  double factor = 2.0;
  Millis max_delay{60'000};
  std::optional<Millis> stable_after;         // unset: max(60 s, 2 x last delay, 2 x interval)
  Millis failed_retry_interval{300'000};      // half-open tries out of FAILED; 0 never. Default 0 where others run it
  Millis kill_timeout{5'000};                 // from SIGKILL to STUCK
  int flap_limit = 10;                        // failure restarts per hour; 0 off
  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
  std::uint64_t hash() const {
    std::uint64_t hash = mix64(static_cast<std::uint64_t>(on));
    for (const std::int64_t number : {std::int64_t{max_restarts}, delay.value_or(Millis(-1)).count(),
                                      static_cast<std::int64_t>(factor * 1'000), max_delay.count(),
                                      stable_after.value_or(Millis(-1)).count(), failed_retry_interval.count(),
                                      kill_timeout.count(), std::int64_t{flap_limit}}) {
      hash = mix64(hash ^ static_cast<std::uint64_t>(number));
    }
    return hash;
  }
};

}  // namespace azora
