// What one more service costs in memory, whole: its configuration, state, pools, views, events and kept connection, once
// it was checked; and what a fleet-wide read adds. N endpoints on loopback are registered with an orchestrator that
// checks some already; the growth of anonymous memory is divided by N. Beside it HAProxy with the same servers, all
// checked. One JSON line per size. Use: bench_memory [services=N] [haproxy=PATH]; without services 1,000 and 10,000.
// Exits with 2 when there is no HAProxy.
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/orchestrator.hpp"
#include "haproxy_peer.hpp"
#include "targets.hpp"

namespace {

using namespace azora;
using namespace azora::bench;
using orchestrator::Orchestrator;

constexpr int kBefore = 100;  // services that are there already
constexpr int kIntervalMs = 10'000;

// What parent and children share.
struct Shared {
  std::atomic<std::uint64_t> answered{0};
  double checked_bytes = 0;
  double read_bytes = 0;
};

std::vector<SpecPtr> fleet(int first, int services, std::uint16_t port) {
  std::vector<SpecPtr> specs;
  for (int i = first; i < first + services; ++i) {
    const std::string text = R"({"id":"service-)" + std::to_string(i) + R"(","type":"core","endpoint":"http://)" + address_of(i) +
                             ":" + std::to_string(port) + R"(","healthCheckInterval":)" + std::to_string(kIntervalMs) + "}";
    Result<std::vector<SpecPtr>> parsed = parse_service(text, {.origin = Origin::rest});
    if (!parsed) std::fprintf(stderr, "bench_memory: %s\n", parsed.error().message.c_str()), std::exit(1);
    specs.push_back(std::move(parsed.value().front()));
  }
  return specs;
}

bool all_healthy(const Orchestrator& orch, std::size_t services) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (orch.totals().healthy < services) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// In a process of its own, so that memory is counted from nothing.
void measure_ours(int services, std::uint16_t port, Shared& shared) {
  Orchestrator orch(orchestrator::Options{});
  if (!orch.start() || !orch.register_many(fleet(0, kBefore, port), "rest") || !all_healthy(orch, kBefore)) std::exit(1);
  const long before = anonymous_kib();
  if (!orch.register_many(fleet(kBefore, services, port), "rest")) std::exit(1);
  if (!all_healthy(orch, static_cast<std::size_t>(kBefore + services))) std::exit(1);
  shared.checked_bytes = static_cast<double>(anonymous_kib() - before) * 1024 / services;
  if (orch.services_json({})->empty() || orch.status_json(true)->empty()) std::exit(1);
  shared.read_bytes = static_cast<double>(anonymous_kib() - before) * 1024 / services;
}

// HAProxy's anonymous memory, all of its servers checked; 0: it did not come up.
long measure_peer(HaproxyPeer& peer, int services, std::uint16_t port, Shared& shared) {
  shared.answered = 0;
  if (!peer.start(services, kIntervalMs, true, port, -1, address_of)) return 0;
  for (int i = 0; i < 2 * kIntervalMs / 20 && shared.answered < static_cast<std::uint64_t>(services); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const long used = shared.answered >= static_cast<std::uint64_t>(services) ? anonymous_kib(std::to_string(peer.pid())) : 0;
  peer.stop();
  return used;
}

int run(int services, HaproxyPeer& peer, std::uint16_t port, Shared& shared) {
  const pid_t child = fork();
  if (child == 0) {
    measure_ours(services, port, shared);
    std::_Exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const long few = measure_peer(peer, kBefore, port, shared);
  const long many = measure_peer(peer, kBefore + services, port, shared);
  if (status != 0 || few == 0 || many == 0) return std::fprintf(stderr, "bench_memory: a run failed\n"), 1;
  const double peers = static_cast<double>(many - few) * 1024 / services;
  std::printf("{\"bench\":\"memory\",\"services\":%d,\"bytes_per_service\":%.0f,\"bytes_per_service_after_read\":%.0f,"
              "\"peer\":\"%s\",\"peer_bytes_per_service\":%.0f,\"ratio\":%.2f}\n",
              services, shared.checked_bytes, shared.read_bytes, peer.name().c_str(), peers, shared.checked_bytes / peers);
  std::fflush(stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  raise_descriptor_limit();
  std::vector<int> sizes = {1'000, 10'000};
  std::string haproxy;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("services=")) sizes = {std::max(1, std::atoi(word.c_str() + 9))};
    else if (word.starts_with("haproxy=")) haproxy = word.substr(8);
    else return std::fprintf(stderr, "bench_memory: unknown %s\n", argv[i]), 2;
  }
  HaproxyPeer peer(haproxy);
  if (peer.name().empty()) {
    std::fprintf(stderr, "bench_memory: HAProxy is missing, there is nothing to compare with: apt-get install haproxy, or "
                         "haproxy=PATH\n");
    return 2;
  }
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::perror("bench_memory: mmap"), 1;
  auto& shared = *new (memory) Shared;
  const auto [listener, port] = listen_anywhere();
  if (listener < 0) return std::perror("bench_memory: listen"), 1;
  const pid_t responder = fork();
  if (responder == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    respond(listener, false, shared.answered);
  }
  close(listener);
  int code = 0;
  for (const int services : sizes) code |= run(services, peer, port, shared);
  kill(responder, SIGKILL);
  waitpid(responder, nullptr, 0);
  return code;
}
