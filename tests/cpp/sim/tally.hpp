#pragma once
// What a run, or many, went through, counted. Values.
#include <cstdint>
#include <map>
#include <string>

namespace azora::orchestrator {

struct Tally {
  std::uint64_t seeds = 0;
  std::uint64_t turns = 0;
  std::uint64_t checks = 0;        // asked
  std::uint64_t events = 0;
  std::uint64_t starts = 0;        // of processes
  double service_years = 0;
  std::map<std::string, std::uint64_t> faults;  // by kind

  void add(const Tally& other) {
    seeds += other.seeds;
    turns += other.turns;
    checks += other.checks;
    events += other.events;
    starts += other.starts;
    service_years += other.service_years;
    for (const auto& [kind, count] : other.faults) faults[kind] += count;
  }
};

}  // namespace azora::orchestrator
