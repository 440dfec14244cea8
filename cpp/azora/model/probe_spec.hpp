#pragma once
// How a service is asked about its health: fields `endpoint`, `healthCheckPath`, `healthCheckInterval` and
// `healthCheck` of a service, validated. Values only.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/model/check_kinds.hpp"

namespace azora {

// The target of a check. Shared by the control thread and the prober.
struct ProbeTarget {
  ProbeKind kind = ProbeKind::http;
  std::uint16_t port = 0;
  std::string scheme;                          // "http" | "https" | "tcp"; empty: there is no endpoint
  std::string host;                            // name or numeric address, without brackets
  std::string path = "/health";                // starts with '/', the endpoint's own path first; http only
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  Millis timeout{5'000};                       // min(5000, interval) unless set
  bool reuse_connection = false;               // keep the connection between checks; http only
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
};

}  // namespace azora
