// Registration and reads of the whole orchestrator, which is not started: no probe, no process. Registration counts
// the wall clock, from the call to the acknowledgement; the peer keeps the same specs in a map under a mutex.
#include <benchmark/benchmark.h>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/orchestrator.hpp"
#include "cases.hpp"

namespace azora::bench {
namespace {

using orchestrator::Orchestrator;

std::string service_text(int number) {
  return R"({"id":"s)" + std::to_string(number) + R"(","type":"core","endpoint":"http://127.0.0.1:)" +
         std::to_string(1024 + number % 60'000) + R"(","healthCheckInterval":3600000})";
}

std::vector<SpecPtr> parse_fleet(int services) {
  std::vector<SpecPtr> specs;
  for (int i = 0; i < services; ++i) {
    Result<std::vector<SpecPtr>> parsed = parse_service(service_text(i), {.origin = Origin::python});
    if (parsed) specs.push_back(std::move(parsed.value().front()));
  }
  return specs;
}

void parse(benchmark::State& state) {
  const std::string text = service_text(7);
  for (auto _ : state) benchmark::DoNotOptimize(parse_service(text, {.origin = Origin::rest}));
  state.SetItemsProcessed(state.iterations());
}

// All of a fleet in one call, into an empty orchestrator.
void register_bulk(benchmark::State& state, int services) {
  const std::vector<SpecPtr> specs = parse_fleet(services);
  for (auto _ : state) {
    state.PauseTiming();
    auto orch = std::make_unique<Orchestrator>(orchestrator::Options{});
    std::vector<SpecPtr> batch = specs;
    state.ResumeTiming();
    if (!orch->register_many(std::move(batch), "python")) state.SkipWithError("refused");
    state.PauseTiming();
    orch.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * services);
}

// One after the other, each acknowledged before the next.
void register_singly(benchmark::State& state) {
  constexpr int kFleet = 1000;
  const std::vector<SpecPtr> specs = parse_fleet(kFleet);
  Orchestrator orch(orchestrator::Options{});
  std::size_t turn = 0;
  for (auto _ : state) {
    if (!orch.register_many({specs[turn++ % kFleet]}, "python")) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}

void map_bulk(benchmark::State& state, int services) {
  const std::vector<SpecPtr> specs = parse_fleet(services);
  for (auto _ : state) {
    std::mutex mutex;
    std::unordered_map<std::string, SpecPtr> by_id;
    std::unordered_multimap<std::string, SpecPtr> by_type;
    for (const SpecPtr& spec : specs) {
      const std::lock_guard<std::mutex> lock(mutex);
      by_id[spec->id] = spec;
      by_type.emplace(spec->type, spec);
    }
    benchmark::DoNotOptimize(by_id.size());
  }
  state.SetItemsProcessed(state.iterations() * services);
}

void find(benchmark::State& state, int services) {
  Orchestrator orch(orchestrator::Options{});
  if (!orch.register_many(parse_fleet(services), "python")) return state.SkipWithError("refused");
  const std::string id = numbered("s", services / 2);
  for (auto _ : state) benchmark::DoNotOptimize(orch.find(id));
}

void service_json(benchmark::State& state, int services) {
  Orchestrator orch(orchestrator::Options{});
  if (!orch.register_many(parse_fleet(services), "python")) return state.SkipWithError("refused");
  const std::string id = numbered("s", services / 2);
  for (auto _ : state) benchmark::DoNotOptimize(orch.find(id)->service_json().size());
}

// The first reader of a view makes its text.
void fresh_service_json(benchmark::State& state) {
  Orchestrator orch(orchestrator::Options{});
  if (!orch.register_many(parse_fleet(1), "python")) return state.SkipWithError("refused");
  const ViewPtr view = orch.find("s0");
  for (auto _ : state) {
    const ServiceView copy(*view);
    benchmark::DoNotOptimize(copy.service_json().size());
  }
}

void map_find(benchmark::State& state, int services) {
  std::mutex mutex;
  std::unordered_map<std::string, SpecPtr> by_id;
  for (const SpecPtr& spec : parse_fleet(services)) by_id[spec->id] = spec;
  const std::string id = numbered("s", services / 2);
  for (auto _ : state) {
    const std::lock_guard<std::mutex> lock(mutex);
    benchmark::DoNotOptimize(SpecPtr(by_id.find(id)->second));
  }
}

}  // namespace

void add_registry_cases() {
  constexpr int kBulk = 10'000;
  benchmark::RegisterBenchmark("registry/parse", parse);
  benchmark::RegisterBenchmark(numbered("registry/register-bulk/", kBulk).c_str(), register_bulk, kBulk)
      ->MeasureProcessCPUTime()
      ->UseRealTime();
  benchmark::RegisterBenchmark("registry/register-one", register_singly)->MeasureProcessCPUTime()->UseRealTime();
  benchmark::RegisterBenchmark(numbered("peer/map-bulk-mutex/", kBulk).c_str(), map_bulk, kBulk)
      ->MeasureProcessCPUTime()
      ->UseRealTime();
  for (const int services : {10, 10'000}) {
    benchmark::RegisterBenchmark(numbered("registry/find/", services).c_str(), find, services);
    benchmark::RegisterBenchmark(numbered("registry/service-json/", services).c_str(), service_json, services);
    benchmark::RegisterBenchmark(numbered("peer/map-find-mutex/", services).c_str(), map_find, services);
  }
  benchmark::RegisterBenchmark("registry/service-json-fresh", fresh_service_json);
}

}  // namespace azora::bench
