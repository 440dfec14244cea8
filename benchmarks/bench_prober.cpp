// Cost of active health checks, whole chain: scheduler, control loop, net thread. N targets on loopback are
// probed on their grid for some seconds against a responder process, by us and by HAProxy in turns; one JSON line per
// run: CPU us per check (all our threads), system calls per check (from the prober's own counters), bytes per
// target, lateness of the timer, latency of the answers; HAProxy's CPU us per check, and ours divided by it. With
// several rounds the last line of a setting has the medians. close=1: the targets close after each answer, and each check is
// by a new connection, as it is by default; close=0: with reuseConnection, so that four of five checks are by a kept one.
// Use: bench_prober [targets=5000] [interval_ms=1000] [seconds=5] [pin=1] [close=0] [rounds=1] [haproxy=PATH];
// without targets a standard series. Exits with 2 when there is no HAProxy.
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/health/judge.hpp"
#include "azora/health/net_prober.hpp"
#include "azora/health/probe_timer.hpp"
#include "haproxy_peer.hpp"
#include "targets.hpp"

namespace {

using namespace azora;
using namespace azora::health;
using namespace azora::bench;

struct Setting {
  int targets = 5000;
  int interval_ms = 1000;
  int seconds = 5;
  int pin = 1;
  int close = 0;
  int rounds = 1;
};

// What parent and children share.
struct Shared {
  std::atomic<std::uint64_t> answered{0};  // by the responder
  double cpu_us = 0;                       // per check, of our last run
};

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

double cpu_seconds() {
  timespec at{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) * 1e-9;
}

double user_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6;
}

template <typename T>
double quantile(std::vector<T>& sorted, double q) {
  if (sorted.empty()) return 0;
  std::sort(sorted.begin(), sorted.end());
  return static_cast<double>(sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))].count());
}

class Bench {
 public:
  Bench(const Setting& setting, std::uint16_t port) : setting_(setting) {
    const long before = anonymous_kib();
    prober_.set_sink([this](const std::vector<ProbeResult>& batch) { take(batch); });
    for (int i = 0; i < setting.targets; ++i) {
      auto target = std::make_shared<ProbeTarget>();
      target->scheme = "http";
      target->host = address_of(i);
      target->port = port;
      target->path = "/health";
      target->timeout = Millis(2000);
      target->reuse_connection = setting.close == 0;
      targets_.push_back(std::move(target));
    }
    targets_kib_ = anonymous_kib() - before;
    for (int i = 0; i < setting.targets; ++i) {
      scheduler_.add(static_cast<Serial>(i + 1),
                     {.target_key = static_cast<std::uint64_t>(i + 1), .interval = Millis(setting.interval_ms)},
                     loop_.now().steady);
    }
    if (!prober_.start().ok()) std::abort();
    loop_.post([this] { timer_.rearm(); });
    // All connected and on their grid before anything is counted.
    run_for(Millis(setting.interval_ms) + std::chrono::seconds(1));
    memory_kib_ = anonymous_kib() - before;
  }

  // CPU us per check.
  double measure() {
    results_ = failures_ = 0;
    latencies_.clear();
    lateness_.clear();
    counting_ = true;
    const ProberCounts before = prober_.counters();
    const double cpu_before = cpu_seconds();
    const double user_before = user_seconds();
    const SteadyTime begun = loop_.now().steady;
    run_for(std::chrono::seconds(setting_.seconds));
    const double cpu = cpu_seconds() - cpu_before;
    const double user = user_seconds() - user_before;
    const double span = std::chrono::duration<double>(loop_.now().steady - begun).count();
    const ProberCounts after = prober_.counters();
    const auto checks = static_cast<double>(after.checks - before.checks);
    const auto per_check = [&](std::uint64_t ProberCounts::*field) {
      return static_cast<double>(after.*field - before.*field) / checks;
    };
    std::printf(
        "{\"bench\":\"prober\",\"targets\":%d,\"interval_ms\":%d,\"close\":%d,\"checks_per_s\":%.0f,\"failures\":%ld,"
        "\"cpu_us_per_check\":%.2f,\"user_us_per_check\":%.2f,\"syscalls_per_check\":%.3f,\"sends\":%.3f,\"recvs\":%.3f,\"epoll_waits\":%.3f,"
        "\"epoll_ctls\":%.3f,\"reused\":%.3f,\"wake_ups\":%.3f,\"bytes_per_target\":%.0f,\"bytes_per_target_config\":%.0f,"
        "\"latency_us_p50\":%.0f,\"latency_us_p99\":%.0f,\"late_ms_p999\":%.2f}\n",
        setting_.targets, setting_.interval_ms, setting_.close, checks / span, failures_, cpu * 1e6 / checks, user * 1e6 / checks,
        static_cast<double>(after.system_calls() - before.system_calls()) / checks, per_check(&ProberCounts::sends),
        per_check(&ProberCounts::recvs), per_check(&ProberCounts::epoll_waits), per_check(&ProberCounts::epoll_ctls), per_check(&ProberCounts::reused),
        per_check(&ProberCounts::wake_ups), static_cast<double>(memory_kib_) * 1024 / setting_.targets,
        static_cast<double>(targets_kib_) * 1024 / setting_.targets, quantile(latencies_, 0.5),
        quantile(latencies_, 0.99), quantile(lateness_, 0.999) / 1e6);
    std::fflush(stdout);
    return cpu * 1e6 / checks;
  }

 private:
  void run_for(Nanos span) {
    loop_.post([this, span] { loop_.at(loop_.now().steady + span, [this] { loop_.stop(); }); });
    loop_.run();
  }
  void ask(const std::vector<CheckKey>& due) {
    const SteadyTime now = loop_.now().steady;
    if (counting_ && expected_) lateness_.insert(lateness_.end(), due.size(), now - *expected_);
    for (const CheckKey& check : due) {
      questions_.push_back({.serial = check.serial, .slot = check.slot, .target = targets_[check.slot]});
    }
    prober_.ask(questions_);
  }
  void take(const std::vector<ProbeResult>& batch) {
    for (const ProbeResult& result : batch) {
      scheduler_.done(result.check(), result.ended);
      failures_ += judge(result, spec_) != Verdict::pass;
      if (counting_) latencies_.push_back(result.latency);
    }
    results_ += static_cast<long>(batch.size());
    timer_.rearm();
    expected_ = scheduler_.next_tick();
  }

  Setting setting_;
  ProbeSpec spec_;
  AsioLoop loop_;
  std::vector<std::shared_ptr<const ProbeTarget>> targets_;
  Scheduler scheduler_{{.fd_limit = 1'000'000}};
  LatenessGuard guard_;
  NetProber prober_{loop_, {.fd_limit = 1'000'000, .resolver = {}}};
  ProbeTimer timer_{loop_, scheduler_, guard_, [this](const std::vector<CheckKey>& due) { ask(due); }};
  std::vector<ProbeRequest> questions_;
  std::vector<Micros> latencies_;
  std::vector<Nanos> lateness_;
  std::optional<SteadyTime> expected_;
  bool counting_ = false;
  long results_ = 0;
  long failures_ = 0;
  long memory_kib_ = 0;
  long targets_kib_ = 0;
};

// HAProxy's CPU us per check; 0: it checked nothing.
double measure_peer(azora::bench::HaproxyPeer& peer, const Setting& setting, std::uint16_t port, const Shared& shared) {
  if (!peer.start(setting.targets, setting.interval_ms, setting.close == 0, port, setting.pin != 0 ? 0 : -1, address_of)) {
    return 0;
  }
  std::this_thread::sleep_for(Millis(setting.interval_ms) + std::chrono::seconds(1));
  const std::uint64_t answered = shared.answered.load();
  const double cpu = peer.cpu_seconds();
  std::this_thread::sleep_for(std::chrono::seconds(setting.seconds));
  const double used = peer.cpu_seconds() - cpu;
  const auto checks = static_cast<double>(shared.answered.load() - answered);
  const bool lived = peer.alive();
  peer.stop();
  if (!lived || checks < 1) return 0;
  std::printf("{\"bench\":\"peer\",\"peer\":\"%s\",\"targets\":%d,\"interval_ms\":%d,\"reuses_connections\":%s,"
              "\"checks_per_s\":%.0f,\"cpu_us_per_check\":%.2f}\n",
              peer.name().c_str(), setting.targets, setting.interval_ms,
              peer.reuses() && setting.close == 0 ? "true" : "false", checks / setting.seconds, used * 1e6 / checks);
  std::fflush(stdout);
  return used * 1e6 / checks;
}

// In a process of its own, so that memory is counted from nothing.
double measure_ours(const Setting& setting, std::uint16_t port, Shared& shared) {
  shared.cpu_us = 0;
  const pid_t child = fork();
  if (child == 0) {
    if (setting.pin != 0) pin_to(0);
    shared.cpu_us = Bench(setting, port).measure();
    std::exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? shared.cpu_us : 0;
}

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int run(const Setting& setting, azora::bench::HaproxyPeer& peer, Shared& shared) {
  const auto [listener, listening_at] = listen_anywhere();
  if (listener < 0) return std::perror("bench_prober: listen"), 1;
  const pid_t responder = fork();
  if (responder == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (setting.pin != 0) pin_to(1);
    respond(listener, setting.close != 0, shared.answered);
  }
  close(listener);
  std::vector<double> ours;
  std::vector<double> peers;
  std::vector<double> ratios;
  for (int round = 0; round < setting.rounds; ++round) {
    ours.push_back(measure_ours(setting, listening_at, shared));
    peers.push_back(measure_peer(peer, setting, listening_at, shared));
    if (ours.back() > 0 && peers.back() > 0) ratios.push_back(ours.back() / peers.back());
  }
  kill(responder, SIGKILL);
  waitpid(responder, nullptr, 0);
  if (ratios.size() != ours.size()) return std::fprintf(stderr, "bench_prober: a run failed\n"), 1;
  std::printf("{\"bench\":\"prober beside peer\",\"peer\":\"%s\",\"targets\":%d,\"interval_ms\":%d,\"close\":%d,"
              "\"peer_reuses_connections\":%s,\"rounds\":%d,\"cpu_us_per_check\":%.2f,\"peer_cpu_us_per_check\":%.2f,"
              "\"ratio\":%.2f}\n",
              peer.name().c_str(), setting.targets, setting.interval_ms, setting.close,
              peer.reuses() && setting.close == 0 ? "true" : "false", setting.rounds, middle(ours), middle(peers),
              middle(ratios));
  std::fflush(stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  raise_descriptor_limit();
  Setting setting;
  std::string haproxy;
  bool series = true;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string text = equals == std::string::npos ? "" : word.substr(equals + 1);
    const int value = std::atoi(text.c_str());
    if (name == "targets") setting.targets = value, series = false;
    else if (name == "interval_ms") setting.interval_ms = value;
    else if (name == "seconds") setting.seconds = value;
    else if (name == "pin") setting.pin = value;
    else if (name == "close") setting.close = value;
    else if (name == "rounds") setting.rounds = std::max(1, value);
    else if (name == "haproxy") haproxy = text;
    else return std::fprintf(stderr, "bench_prober: unknown %s\n", argv[i]), 2;
  }
  azora::bench::HaproxyPeer peer(haproxy);
  if (peer.name().empty()) {
    std::fprintf(stderr, "bench_prober: HAProxy is missing, there is nothing to compare with: apt-get install haproxy, "
                         "or haproxy=PATH\n");
    return 2;
  }
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::perror("bench_prober: mmap"), 1;
  auto& shared = *new (memory) Shared;
  if (!series) return run(setting, peer, shared);
  int code = 0;
  for (const auto& [targets, interval_ms, close] :
       {std::tuple{500, 1000, 0}, {2000, 1000, 0}, {5000, 1000, 0}, {5000, 200, 0}, {1000, 10'000, 0}, {1000, 1000, 1}, {5000, 1000, 1}}) {
    setting.targets = targets;
    setting.interval_ms = interval_ms;
    setting.close = close;
    code |= run(setting, peer, shared);
  }
  return code;
}
