#pragma once
// The request of a pick, and its result.
// Threads: values only. Ownership: an answer holds its instances and its lease.
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "azora/balancer/instance.hpp"
#include "azora/balancer/leases.hpp"
#include "azora/balancer/types.hpp"
#include "azora/base/time.hpp"

namespace azora::balancer {

struct PickRequest {
  std::optional<Strategy> strategy;  // unset: the pool's
  std::string_view key;              // ip-hash; empty: the peer decides
  std::string_view peer;             // address of the client; empty: none (in-process)
  bool lease = false;                // counts as one live connection until it ends
  bool explain = false;              // the result lists all candidates
  bool peek = false;                 // takes no turn and no lease (HEAD)
  SteadyTime now{};                  // used by leases alone
};

struct Candidate {
  std::shared_ptr<const Instance> instance;
  Tier tier = Tier::excluded;
  std::uint32_t load = 0;
  LoadSource load_source = LoadSource::leases;
  double weight = 1;
  Exclusion excluded = Exclusion::none;
};

struct Pick {
  std::shared_ptr<const Instance> instance;
  Strategy strategy = Strategy::round_robin;
  Tier tier = Tier::healthy;
  bool panic = false;  // too few were usable, so the pick chose among all that may be alive
  LoadSource load_source = LoadSource::none;
  std::optional<Lease> lease;
  std::vector<Candidate> candidates;
};

}  // namespace azora::balancer
