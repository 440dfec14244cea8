#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "cases.hpp"

namespace azora::bench {

using balancer::Balancer;
using balancer::PoolHandle;
using balancer::Strategy;
using balancer::Tier;

namespace {

// One member is out, then in again; each time the next pick sees it.
void flap(benchmark::State& state, int instances) {
  Balancer balancer;
  fill(balancer, instances);
  PoolHandle pool("core");
  int turn = 0;
  for (auto _ : state) {
    const auto serial = static_cast<std::uint64_t>(turn / 2 % instances + 1);
    balancer.pools().set_tier(serial, turn % 2 == 0 ? Tier::excluded : Tier::healthy, 1);
    balancer.pools().publish();
    benchmark::DoNotOptimize(balancer.pick_fast(pool));
    ++turn;
  }
}

// One more member, then it leaves again.
void join_and_leave(benchmark::State& state, int instances) {
  constexpr std::uint64_t kSerial = 1'000'000'000;
  Balancer balancer;
  fill(balancer, instances);
  PoolHandle pool("core");
  auto spec = std::make_shared<ServiceSpec>();
  spec->id = "new";
  spec->type = "core";
  spec->endpoint = Endpoint{"http://127.0.0.1:9"};
  for (auto _ : state) {
    balancer.pools().put(kSerial, spec);
    balancer.pools().set_tier(kSerial, Tier::healthy, 1);
    balancer.pools().publish();
    benchmark::DoNotOptimize(balancer.pick_fast(pool));
    balancer.pools().remove(kSerial);
    balancer.pools().publish();
    benchmark::DoNotOptimize(balancer.pick_fast(pool));
  }
}

// A whole fleet into an empty balancer; per instance.
void fill_all(benchmark::State& state, int instances) {
  for (auto _ : state) {
    Balancer balancer;
    fill(balancer, instances);
  }
  state.SetItemsProcessed(state.iterations() * instances);
}

// The first pick of a strategy that needs a table.
void table(benchmark::State& state, Strategy strategy, int instances) {
  for (auto _ : state) {
    state.PauseTiming();
    auto balancer = std::make_unique<Balancer>();
    fill(*balancer, instances);
    state.ResumeTiming();
    benchmark::DoNotOptimize(balancer->pick_fast("core", strategy, "k"));
    state.PauseTiming();
    balancer.reset();
    state.ResumeTiming();
  }
}

}  // namespace

void add_pool_cases() {
  for (const int instances : {10, 1000, 100'000}) {
    benchmark::RegisterBenchmark(numbered("pool/flap-and-pick/", instances).c_str(), flap, instances);
    benchmark::RegisterBenchmark(numbered("pool/join-leave-and-picks/", instances).c_str(), join_and_leave, instances);
  }
  for (const int instances : {10, 1000}) {
    benchmark::RegisterBenchmark(numbered("pool/fill/", instances).c_str(), fill_all, instances);
    for (const Strategy strategy : {Strategy::weighted, Strategy::ip_hash}) {
      const std::string name = "pool/table-" + std::string(wire_name(strategy)) + "/";
      benchmark::RegisterBenchmark(numbered(name, instances).c_str(), table, strategy, instances);
    }
  }
}

}  // namespace azora::bench
