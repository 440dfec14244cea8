#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cases.hpp"
#include "peers.hpp"

namespace azora::bench {

using balancer::Balancer;
using balancer::PoolHandle;
using balancer::Strategy;

void fill(Balancer& balancer, int instances) {
  for (int i = 0; i < instances; ++i) {
    auto spec = std::make_shared<ServiceSpec>();
    spec->id = numbered("s", i);
    spec->type = "core";
    spec->own_group = std::string("replicas");
    spec->explicit_group = true;
    spec->priority = 1 + i % 5;
    spec->endpoint = Endpoint{numbered("http://127.0.0.1:", 1024 + i % 60'000)};
    const auto serial = static_cast<std::uint64_t>(i + 1);
    balancer.pools().put(serial, spec);
    balancer.pools().set_tier(serial, balancer::Tier::healthy, 1);
  }
  balancer.pools().publish();
}

Balancer& fleet(int instances, bool loaded) {
  static std::mutex mutex;
  static std::map<std::pair<int, bool>, std::unique_ptr<Balancer>> fleets;
  const std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Balancer>& place = fleets[{instances, loaded}];
  if (!place) {
    place = std::make_unique<Balancer>();
    fill(*place, instances);
    // As many leases as instances: loads differ by one.
    const balancer::PickRequest lease{.strategy = Strategy::least_connections, .lease = true};
    for (int i = 0; loaded && i < instances; ++i) (void)place->pick("core", lease);
    for (const Strategy strategy : {Strategy::weighted, Strategy::ip_hash}) place->pick_fast("core", strategy, "k");
  }
  return *place;
}

namespace {

constexpr std::size_t kKeys = 1024;  // addresses of clients, taken in turns

const std::vector<std::string>& client_keys() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> made;
    for (int i = 0; i < static_cast<int>(kKeys); ++i) made.push_back(numbered(numbered("10.1.", i / 256) + ".", i % 256));
    return made;
  }();
  return keys;
}

// Calls `pick(key)` until the time is over.
template <typename Pick>
void loop(benchmark::State& state, Strategy strategy, const Pick& pick) {
  const std::vector<std::string>& keys = client_keys();
  std::size_t turn = static_cast<std::size_t>(state.thread_index()) * 511;
  if (!pick(keys[0])) return state.SkipWithError("nobody was picked");
  if (strategy == Strategy::ip_hash) {
    for (auto _ : state) benchmark::DoNotOptimize(pick(keys[turn++ % kKeys]));
  } else {
    for (auto _ : state) benchmark::DoNotOptimize(pick({}));
  }
}

void pick_by_type(benchmark::State& state, Strategy strategy, int instances, bool loaded) {
  Balancer& balancer = fleet(instances, loaded);
  loop(state, strategy, [&](std::string_view key) { return balancer.pick_fast("core", strategy, key); });
}

void pick_by_handle(benchmark::State& state, Strategy strategy, int instances) {
  Balancer& balancer = fleet(instances);
  PoolHandle pool("core");
  loop(state, strategy, [&](std::string_view key) { return balancer.pick_fast(pool, strategy, key); });
}

void pick_answer(benchmark::State& state, int instances) {
  Balancer& balancer = fleet(instances);
  loop(state, Strategy::round_robin, [&](std::string_view) { return balancer.pick("core").ok(); });
}

void pick_lease(benchmark::State& state, int instances) {
  Balancer& balancer = fleet(instances);
  const balancer::PickRequest request{.strategy = Strategy::least_connections, .lease = true};
  loop(state, Strategy::least_connections, [&](std::string_view) {
    const auto pick = balancer.pick("core", request);
    return pick.ok() && balancer.release(pick.value().lease->id, {});
  });
}

template <typename Peer>
void add_peer(const std::string& name, int instances) {
  const auto peer = std::make_shared<ByType<Peer>>(instances);
  const auto run = [peer](benchmark::State& state) {
    const std::string type = "core";
    for (auto _ : state) benchmark::DoNotOptimize(peer->pick(type));
  };
  const std::string full = numbered("peer/" + name + "/", instances);
  benchmark::RegisterBenchmark(full.c_str(), run);
  benchmark::RegisterBenchmark(full.c_str(), run)->Threads(2);
}

}  // namespace

void add_pick_cases() {
  for (const int instances : {10, 100, 1000}) {
    for (const Strategy strategy :
         {Strategy::round_robin, Strategy::weighted, Strategy::ip_hash, Strategy::least_connections}) {
      const std::string tail = numbered(std::string(wire_name(strategy)) + "/", instances);
      benchmark::RegisterBenchmark(("pick/" + tail).c_str(), pick_by_type, strategy, instances, false);
      benchmark::RegisterBenchmark(("pick/" + tail).c_str(), pick_by_type, strategy, instances, false)->Threads(2);
      benchmark::RegisterBenchmark(("pick-handle/" + tail).c_str(), pick_by_handle, strategy, instances);
    }
    benchmark::RegisterBenchmark(numbered("pick-loaded/least-connections/", instances).c_str(), pick_by_type,
                                 Strategy::least_connections, instances, true);
    add_peer<MutexRoundRobin>("round-robin-mutex", instances);
    add_peer<EdfHeap>("weighted-edf-heap-mutex", instances);
    add_peer<SmoothScan>("weighted-smooth-scan-mutex", instances);
  }
  benchmark::RegisterBenchmark("pick-answer/round-robin/100", pick_answer, 100);
  benchmark::RegisterBenchmark("pick-lease/least-connections/100", pick_lease, 100);
}

}  // namespace azora::bench
