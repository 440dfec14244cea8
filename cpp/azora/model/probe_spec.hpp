#pragma once
// How a service is asked about its health: fields `endpoint`, `healthCheckPath`, `healthCheckInterval` and
// `healthCheck` of a service, validated. Values only.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/interned.hpp"
#include "azora/base/time.hpp"
#include "azora/model/check_kinds.hpp"

namespace azora {

using ProbeHeaders = std::vector<std::pair<std::string, std::string>>;

template <>
struct InternHash<ProbeHeaders> {
  std::uint64_t operator()(const ProbeHeaders& headers) const {
    std::uint64_t hash = headers.size();
    for (const auto& [name, value] : headers) hash = hash_bytes(value, hash_bytes(name, hash));
    return hash;
  }
};

// The target of a check. What is the same for most services is stored once.
// Shared by the control thread and the prober.
struct ProbeTarget {
  ProbeKind kind = ProbeKind::http;
  bool reuse_connection = false;               // keep the connection between checks; http only
  std::uint16_t port = 0;
  std::string host;                            // name or numeric address, without brackets
  Interned<std::string> path = "/health";      // starts with '/', the endpoint's own path first; http only
  Interned<std::string> method = "GET";
  Interned<ProbeHeaders> headers;
  Millis timeout{5'000};                       // min(5000, interval) unless set
  Interned<std::string> scheme;                // "http" | "https" | "tcp"; empty: there is no endpoint
  friend bool operator==(const ProbeTarget&, const ProbeTarget&) = default;
};

// The schedule of a check, and the meaning of its answers.
struct ProbeSpec {
  Millis interval{30'000};
  int unhealthy_threshold = 2;                 // consecutive failures that take it out of rotation
  int restart_threshold = 3;                   // consecutive failures that let healing act
  int healthy_threshold = 2;                   // consecutive passes that put it back
  Millis start_timeout{60'000};                // max(30000, 2 x interval) unless set
  Millis start_interval{1'000};                // the longest gap between probes in STARTING: min(1000, interval) unless set
  std::vector<std::pair<int, int>> expected_status;  // inclusive ranges that count as healthy; empty: 200-299
  friend bool operator==(const ProbeSpec&, const ProbeSpec&) = default;
  std::uint64_t hash() const {
    std::uint64_t hash = mix64(static_cast<std::uint64_t>(interval.count()));
    hash = mix64(hash ^ static_cast<std::uint64_t>(start_timeout.count()));
    hash = mix64(hash ^ static_cast<std::uint64_t>(start_interval.count()));
    for (const int threshold : {unhealthy_threshold, restart_threshold, healthy_threshold}) {
      hash = mix64(hash ^ static_cast<std::uint64_t>(threshold));
    }
    for (const auto& [first, last] : expected_status) {
      hash = mix64(hash ^ static_cast<std::uint64_t>(first * 1'000 + last));
    }
    return hash;
  }
};

}  // namespace azora
