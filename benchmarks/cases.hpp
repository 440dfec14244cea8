#pragma once
// What azora_bench is made of, and the fleet that its cases share.
// Threads: as said. Ownership: fleets live as long as the program. Fails: never.
#include <string>

#include "azora/balancer/balancer.hpp"

namespace azora::bench {

void add_pick_cases();
void add_pool_cases();
void add_event_cases();
void add_registry_cases();

inline std::string numbered(std::string prefix, int number) {
  prefix += std::to_string(number);
  return prefix;
}

// A balancer whose type "core" has that many healthy instances of the priorities 1 to 5.
void fill(balancer::Balancer& balancer, int instances);
// The filled balancer that all cases of that size share, its tables made; `loaded`: leases are held. Any thread.
balancer::Balancer& fleet(int instances, bool loaded = false);

}  // namespace azora::bench
