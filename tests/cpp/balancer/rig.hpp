#pragma once
// A balancer under test with a readable script: services by id, tiers, picks as words.
// Threads: the test's; `balancer` as its header says.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/balancer/balancer.hpp"

namespace azora::balancer {

// What a test says of one service; type "t" unless set.
struct Told {
  std::string type = "t";
  std::string group = {};  // empty: none of its own
  std::optional<double> weight = {};
  int priority = 5;
  std::string endpoint = {};  // empty: derived from the id
  bool without_endpoint = false;
  std::string entry = {};  // not empty: one of two replicas of that entry
};

inline SpecPtr spec_of(const std::string& id, const Told& told = {}) {
  auto spec = std::make_shared<ServiceSpec>();
  spec->id = id;
  spec->type = told.type;
  spec->explicit_group = !told.group.empty();
  if (spec->explicit_group || !told.entry.empty()) spec->own_group = spec->explicit_group ? told.group : told.entry;
  spec->replicas = told.entry.empty() ? 1 : 2;
  spec->weight = told.weight;
  spec->priority = told.priority;
  if (!told.without_endpoint) {
    spec->endpoint = Endpoint{told.endpoint.empty() ? "http://" + id : told.endpoint};
  }
  return spec;
}

class Rig {
 public:
  explicit Rig(BalancerOptions options = {}) : balancer(std::move(options)) {}

  // Registered and healthy; again: changed, in its tier if that survives.
  void add(const std::string& id, const Told& told = {}) {
    put(id, told);
    up(id);
  }
  void put(const std::string& id, const Told& told = {}) {
    const auto [known, fresh] = serials_.try_emplace(id, serials_.size() + 1 + removed_);
    balancer.pools().put(known->second, spec_of(id, told));
    balancer.pools().publish();
  }
  void remove(const std::string& id) {
    balancer.pools().remove(serials_.at(id));
    serials_.erase(id);
    ++removed_;
    balancer.pools().publish();
  }
  void up(const std::string& id, std::uint64_t incarnation = 1) {
    balancer.pools().set_tier(serials_.at(id), Tier::healthy, incarnation);
  }
  void degraded(const std::string& id, std::uint64_t incarnation = 1) {
    balancer.pools().set_tier(serials_.at(id), Tier::degraded, incarnation);
  }
  void down(const std::string& id, Exclusion why = Exclusion::unhealthy,
            std::uint64_t incarnation = 1) {
    balancer.pools().set_tier(serials_.at(id), Tier::excluded, incarnation, why);
  }
  std::uint64_t serial(const std::string& id) const { return serials_.at(id); }
  void configure(std::string_view pool, const PoolChange& change) {
    const Result<void> done = balancer.pools().configure(pool, change);
    if (!done) std::abort();
    balancer.pools().publish();
  }

  // The id picked; "-" when nobody.
  std::string pick(std::string_view pool = "t", const PickRequest& request = {}) {
    const Result<Pick> picked = balancer.pick(pool, request);
    return picked ? picked.value().instance->id() : "-";
  }
  std::string fast(std::string_view pool = "t", std::optional<Strategy> strategy = {},
                   std::string_view key = {}) {
    const Instance* picked = balancer.pick_fast(pool, strategy, key);
    return picked ? picked->id() : "-";
  }
  // Ids of one letter, one after the other.
  std::string picks(int count, std::string_view pool = "t", const PickRequest& request = {}) {
    std::string ids;
    for (int i = 0; i < count; ++i) ids += pick(pool, request);
    return ids;
  }
  std::map<std::string, int> shares(int count, std::string_view pool, const PickRequest& request) {
    std::map<std::string, int> got;
    for (int i = 0; i < count; ++i) ++got[pick(pool, request)];
    return got;
  }
  std::optional<Lease> lease(std::string_view pool, SteadyTime now,
                             Strategy strategy = Strategy::least_connections) {
    const Result<Pick> picked =
        balancer.pick(pool, {.strategy = strategy, .lease = true, .now = now});
    return picked ? picked.value().lease : std::nullopt;
  }
  // Live leases by id, as explanations show them.
  std::map<std::string, std::uint32_t> loads(std::string_view pool = "t") {
    std::map<std::string, std::uint32_t> all;
    const Result<Pick> picked = balancer.pick(pool, {.explain = true, .peek = true});
    if (!picked) return all;
    for (const Candidate& one : picked.value().candidates) all[one.instance->id()] = one.load;
    return all;
  }

  Balancer balancer;

 private:
  std::map<std::string, std::uint64_t> serials_;
  std::uint64_t removed_ = 0;
};

}  // namespace azora::balancer
