// What a pick costs, beside a plain round-robin over a vector under a mutex in the same run: every strategy,
// pools of 3, 1000 and 100,000 instances, 1 and 2 threads that pick without pause. One JSON line per case:
// CPU ns per pick as a thread sees it, picks per second of all threads by the clock (medians of the bursts,
// which the contenders take in turns), and the peer's CPU ns divided by ours: above 1 we are cheaper. Two
// threads contend only on two free processors. A second series shows what changes cost in the same pools.
// Use: bench_balancer [burst_ms=60] [bursts=7] [instances=N] [threads=N]
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "azora/balancer/balancer.hpp"

namespace {

using namespace azora;
using namespace azora::balancer;

struct Setting {
  int burst_ms = 60;
  int bursts = 7;
  int instances = 0;  // 0: the series
  int threads = 0;
};

double thread_cpu_ns() {
  timespec at{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

double wall_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string numbered(std::string prefix, int number) {
  prefix += std::to_string(number);
  return prefix;
}

// What somebody writes first.
class MutexRoundRobin {
 public:
  explicit MutexRoundRobin(int instances) {
    for (int i = 0; i < instances; ++i) {
      services_.push_back({numbered("s", i), numbered("http://127.0.0.1:", 1024 + i % 60'000), true});
    }
  }
  const std::string* pick() {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (std::size_t tried = 0; tried < services_.size(); ++tried) {
      const Service& service = services_[next_++ % services_.size()];
      if (service.healthy) return &service.endpoint;
    }
    return nullptr;
  }

 private:
  struct Service {
    std::string id;
    std::string endpoint;
    bool healthy;
  };
  std::mutex mutex_;
  std::vector<Service> services_;
  std::size_t next_ = 0;
};

void fill(Balancer& balancer, int instances) {
  for (int i = 0; i < instances; ++i) {
    auto spec = std::make_shared<ServiceSpec>();
    spec->id = numbered("s", i);
    spec->name = spec->id;
    spec->type = "core";
    spec->group = "replicas";
    spec->explicit_group = true;
    spec->priority = 1 + i % 5;
    spec->endpoint = Endpoint{numbered("http://127.0.0.1:", 1024 + i % 60'000), "http", "127.0.0.1", 1024, ""};
    const auto serial = static_cast<std::uint64_t>(i + 1);
    balancer.pools().put(serial, spec);
    balancer.pools().set_tier(serial, Tier::healthy, 1);
  }
  balancer.pools().publish();
}

struct Figures {
  std::vector<double> cpu_ns;       // per pick and thread, one of each burst
  std::vector<double> picks_per_s;  // of all threads
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// `make`: the picking function of one thread; false from it: nobody was picked.
using Picker = std::function<std::function<bool(std::uint64_t picks)>()>;

struct Contender {
  std::string name;
  Picker make;
  Figures figures;
};

// One burst: all threads begin together and pick for that long.
void burst(Contender& contender, int threads, int burst_ms) {
  std::atomic<int> ready{0};
  std::atomic<double> worst_cpu{0};
  std::atomic<std::uint64_t> picks{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      const auto pick = contender.make();
      if (!pick(1000)) {
        std::fprintf(stderr, "bench_balancer: %s picked nobody\n", contender.name.c_str());
        std::exit(1);
      }
      ready.fetch_add(1);
      while (ready.load() < threads + 1) std::this_thread::yield();
      const double cpu = thread_cpu_ns();
      std::uint64_t mine = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        pick(1000);
        mine += 1000;
      }
      const double each = (thread_cpu_ns() - cpu) / static_cast<double>(mine);
      double known = worst_cpu.load();
      while (each > known && !worst_cpu.compare_exchange_weak(known, each)) {
      }
      picks.fetch_add(mine);
    });
  }
  while (ready.load() < threads) std::this_thread::yield();
  const double begin = wall_ns();
  ready.fetch_add(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(burst_ms));
  stop.store(true);
  for (std::thread& thread : running) thread.join();
  const double seconds = (wall_ns() - begin) * 1e-9;
  contender.figures.cpu_ns.push_back(worst_cpu.load());
  contender.figures.picks_per_s.push_back(static_cast<double>(picks.load()) / seconds);
}

void measure_picks(Balancer& balancer, int instances, int threads, const Setting& setting) {
  MutexRoundRobin plain(instances);
  std::vector<std::string> keys;
  for (int i = 0; i < 1024; ++i) keys.push_back(numbered(numbered("10.1.", i / 256) + ".", i % 256));

  const auto with = [&](Strategy strategy) -> Picker {
    return [&balancer, &keys, strategy] {
      return [&balancer, &keys, strategy, pool = std::make_shared<PoolHandle>("core")](std::uint64_t picks) {
        bool found = true;
        for (std::uint64_t i = 0; i < picks; ++i) {
          const std::string_view key = strategy == Strategy::ip_hash ? keys[i % keys.size()] : std::string_view();
          found &= balancer.pick_fast(*pool, strategy, key) != nullptr;
        }
        return found;
      };
    };
  };
  const auto repeat = [](auto pick) -> Picker {
    return [pick] {
      return [pick](std::uint64_t picks) {
        bool found = true;
        for (std::uint64_t i = 0; i < picks; ++i) found &= pick();
        return found;
      };
    };
  };

  std::vector<Contender> contenders;
  contenders.push_back({"mutex-vector", repeat([&plain] { return plain.pick() != nullptr; }), {}});
  for (const Strategy strategy :
       {Strategy::round_robin, Strategy::weighted, Strategy::least_connections, Strategy::ip_hash}) {
    contenders.push_back({std::string(wire_name(strategy)), with(strategy), {}});
  }
  contenders.push_back({"round-robin by name", repeat([&balancer] { return balancer.pick_fast("core") != nullptr; }), {}});
  contenders.push_back({"round-robin, whole answer", repeat([&balancer] { return balancer.pick("core").ok(); }), {}});

  // In turns, so that a busy moment of the machine hits all alike.
  for (int i = 0; i < setting.bursts; ++i) {
    for (Contender& contender : contenders) burst(contender, threads, setting.burst_ms);
  }
  const double peer = median(contenders.front().figures.cpu_ns);
  for (const Contender& contender : contenders) {
    const double cpu_ns = median(contender.figures.cpu_ns);
    std::printf("{\"pick\":\"%s\",\"instances\":%d,\"threads\":%d,\"cpu_ns\":%.1f,\"picks_per_s\":%.0f,\"peer_ratio\":%.2f}\n",
                contender.name.c_str(), instances, threads, cpu_ns, median(contender.figures.picks_per_s),
                peer / cpu_ns);
  }
  std::fflush(stdout);
}

// A change and the first pick after it, on one thread.
void measure_changes(Balancer& balancer, int instances) {
  PoolHandle pool("core");
  constexpr int kRounds = 20'000;
  const auto report = [&](const char* what, int count, double begin) {
    std::printf("{\"change\":\"%s\",\"instances\":%d,\"cpu_ns\":%.0f}\n", what, instances,
                (thread_cpu_ns() - begin) / count);
  };
  double begin = thread_cpu_ns();
  for (int i = 0; i < kRounds; ++i) {
    const auto serial = static_cast<std::uint64_t>(i % instances + 1);
    balancer.pools().set_tier(serial, Tier::excluded, 1);
    balancer.pools().publish();
    balancer.pick_fast(pool);
    balancer.pools().set_tier(serial, Tier::healthy, 1);
    balancer.pools().publish();
    balancer.pick_fast(pool);
  }
  report("flap and pick", 2 * kRounds, begin);

  auto spec = std::make_shared<ServiceSpec>();
  spec->id = spec->name = spec->group = "new";
  spec->type = "core";
  spec->endpoint = Endpoint{"http://127.0.0.1:9", "http", "127.0.0.1", 9, ""};
  begin = thread_cpu_ns();
  for (int i = 0; i < kRounds; ++i) {
    balancer.pools().put(1'000'000'000, spec);
    balancer.pools().set_tier(1'000'000'000, Tier::healthy, 1);
    balancer.pools().publish();
    balancer.pick_fast(pool);
    balancer.pools().remove(1'000'000'000);
    balancer.pools().publish();
    balancer.pick_fast(pool);
  }
  report("join or leave and pick", 2 * kRounds, begin);
}

void run(int instances, const std::vector<int>& threads, const Setting& setting) {
  Balancer balancer;
  const double begin = thread_cpu_ns();
  fill(balancer, instances);
  std::printf("{\"change\":\"register\",\"instances\":%d,\"cpu_ns\":%.0f}\n", instances,
              (thread_cpu_ns() - begin) / instances);
  PoolHandle pool("core");
  for (const Strategy strategy : {Strategy::weighted, Strategy::ip_hash}) {
    const double before = thread_cpu_ns();
    balancer.pick_fast(pool, strategy, "k");
    std::printf("{\"change\":\"%s table\",\"instances\":%d,\"cpu_ns\":%.0f}\n",
                std::string(wire_name(strategy)).c_str(), instances, thread_cpu_ns() - before);
  }
  for (const int count : threads) measure_picks(balancer, instances, count, setting);
  measure_changes(balancer, instances);
}

}  // namespace

int main(int argc, char** argv) {
  Setting setting;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const int value = equals == std::string::npos ? 0 : std::atoi(word.c_str() + equals + 1);
    int* const place = name == "burst_ms"    ? &setting.burst_ms
                       : name == "bursts"    ? &setting.bursts
                       : name == "instances" ? &setting.instances
                       : name == "threads"   ? &setting.threads
                                             : nullptr;
    if (!place || value < 1) {
      return std::fprintf(stderr, "bench_balancer: %s: expected burst_ms, bursts, instances or threads = a number from 1\n",
                          argv[i]),
             2;
    }
    *place = value;
  }
  const std::vector<int> threads = setting.threads > 0 ? std::vector{setting.threads} : std::vector{1, 2};
  for (const int instances : setting.instances > 0 ? std::vector{setting.instances} : std::vector{3, 1000, 100'000}) {
    run(instances, threads, setting);
  }
  return 0;
}
