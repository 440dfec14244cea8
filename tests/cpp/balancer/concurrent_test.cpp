// Picks on many threads while the control thread changes everything: nobody excluded is answered,
// nobody is missed, nothing is leaked or torn (under ASan and TSan too).
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "azora/base/mutex.hpp"
#include "balancer/rig.hpp"

namespace azora::balancer {
namespace {

constexpr std::array<Strategy, 4> kAll = {Strategy::round_robin, Strategy::weighted,
                                          Strategy::least_connections, Strategy::ip_hash};
constexpr int kPickers = 4;

// Threads that pick until the test has seen enough.
class Pickers {
 public:
  Pickers(int count, const std::function<void(int index, std::uint64_t round)>& pick) {
    for (int index = 0; index < count; ++index) {
      threads_.emplace_back([this, pick, index] {
        for (std::uint64_t round = 0; !stop_.load(); ++round) {
          pick(index, round);
          rounds_.fetch_add(1);
          std::this_thread::yield();  // cores are fewer than threads
        }
      });
    }
  }
  ~Pickers() { join(); }
  void join() {
    stop_.store(true);
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  // Until that many more picks were made: every thread had its chance beside a change.
  void let(std::uint64_t more) const {
    const std::uint64_t goal = rounds_.load() + more;
    while (rounds_.load() < goal) std::this_thread::yield();
  }
  std::uint64_t rounds() const { return rounds_.load(); }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> rounds_{0};
  std::vector<std::thread> threads_;
};

// A worker thread for tables, as the owner of a balancer has one.
class TableWorker {
 public:
  TableWorker() : thread_([this] { run(); }) {}
  ~TableWorker() {
    {
      MutexLock lock(mutex_);
      stop_ = true;
    }
    ready_.notify_all();
    thread_.join();
  }
  Worker worker() {
    return [this](std::function<void()> job) {
      {
        MutexLock lock(mutex_);
        jobs_.push_back(std::move(job));
      }
      ready_.notify_one();
    };
  }

 private:
  void run() {
    for (;;) {
      std::function<void()> job;
      {
        MutexLock lock(mutex_);
        ready_.wait(mutex_, [this] { return stop_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }

  Mutex mutex_;
  CondVar ready_;
  std::deque<std::function<void()>> jobs_ AZORA_GUARDED_BY(mutex_);
  bool stop_ AZORA_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Each flap is numbered: before a pick a thread reads which services have been excluded, and whoever
// was excluded before the pick and is so after it, without a change in between, must not be answered.
class Flaps {
 public:
  explicit Flaps(std::size_t services) : state_(services) {}
  // Control thread. Odd: excluded, since set_tier has returned.
  void excluded(std::size_t service) { state_[service].fetch_add(1); }
  // Before set_tier lets it in again.
  void admits(std::size_t service) { state_[service].fetch_add(1); }
  std::uint64_t of(std::size_t service) const { return state_[service].load(); }

 private:
  std::vector<std::atomic<std::uint64_t>> state_;
};

class NoExcludedPick : public testing::TestWithParam<std::tuple<Strategy, int>> {};

TEST_P(NoExcludedPick, AfterSetTierReturned) {
  const auto [strategy, members] = GetParam();
  TableWorker tables;
  Rig rig({.worker = tables.worker(), .seed = 1, .random_bytes = {}});
  std::vector<std::string> ids;
  std::map<std::string, std::size_t> index;
  for (int i = 0; i < members; ++i) {
    const std::string id = "s" + std::to_string(i);
    index[id] = ids.size();
    ids.push_back(id);
    rig.add(id, {.weight = 1.0 + i % 3});
  }
  Flaps flaps(ids.size());
  std::atomic<int> wrong{0};
  std::atomic<int> nobody{0};
  std::array<PoolHandle, kPickers> handles = {PoolHandle("t"), PoolHandle("t"), PoolHandle("t"),
                                              PoolHandle("t")};
  Pickers pickers(kPickers, [&, strategy = strategy](int thread, std::uint64_t round) {
    std::vector<std::uint64_t> before(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) before[i] = flaps.of(i);
    const std::string key = std::to_string(round);
    const Instance* picked =
        rig.balancer.pick_fast(handles[static_cast<std::size_t>(thread)], strategy, key);
    if (!picked) {
      nobody.fetch_add(1);  // s0 is always there
      return;
    }
    const std::size_t which = index.at(picked->id());
    if (before[which] % 2 == 1 && flaps.of(which) == before[which]) wrong.fetch_add(1);
  });
  // Two thirds of the pool come and go; at times nearly all of it is out.
  for (int flap = 0; flap < 400; ++flap) {
    const auto which = static_cast<std::size_t>(1 + flap * 7 % (members - 1));
    const bool is_out = flaps.of(which) % 2 == 1;
    if (is_out) {
      flaps.admits(which);
      rig.up(ids[which]);
    } else {
      rig.down(ids[which]);
      flaps.excluded(which);
    }
    pickers.let(4);
  }
  pickers.join();
  EXPECT_EQ(wrong.load(), 0) << "of " << pickers.rounds();
  EXPECT_EQ(nobody.load(), 0) << "of " << pickers.rounds();
}

INSTANTIATE_TEST_SUITE_P(
    Concurrent, NoExcludedPick,
    testing::Combine(testing::ValuesIn(kAll), testing::Values(3, 40)),
    [](const testing::TestParamInfo<std::tuple<Strategy, int>>& param) {
      std::string name(wire_name(std::get<0>(param.param)));
      std::erase(name, '-');
      return name + std::to_string(std::get<1>(param.param));
    });

TEST(Concurrent, RoundRobinIsExactAcrossThreads) {
  Rig rig;
  for (const char* id : {"a", "b", "c", "d", "e"}) rig.add(id);
  std::array<std::atomic<int>, 5> got{};
  std::vector<std::thread> threads;
  for (int t = 0; t < kPickers; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        got[static_cast<std::size_t>(rig.balancer.pick_fast("t")->id()[0] - 'a')].fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::atomic<int>& count : got) EXPECT_EQ(count.load(), kPickers * 10'000 / 5);
}

TEST(Concurrent, WeightedIsExactAcrossThreads) {
  Rig rig;
  rig.add("a", {.weight = 5});
  rig.add("b", {.weight = 3});
  std::atomic<int> a{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kPickers; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 8000; ++i) {
        if (rig.balancer.pick_fast("t", Strategy::weighted)->id() == "a") a.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(a.load(), kPickers * 5000);
}

// One always stays, so "nobody" would be a lie whatever happens around it.
TEST(Concurrent, SomebodyIsAlwaysFoundWhileOthersComeMoveAndGo) {
  TableWorker tables;
  Rig rig({.worker = tables.worker(), .seed = 1, .random_bytes = {}});
  rig.add("stays", {.weight = 1});
  std::atomic<int> nobody{0};
  Pickers pickers(kPickers, [&](int thread, std::uint64_t round) {
    const Strategy strategy = kAll[round % kAll.size()];
    const std::string key = std::to_string(round);
    if (thread % 2 == 0) {
      const Instance* picked = rig.balancer.pick_fast("t", strategy, key);
      if (!picked || picked->endpoint().empty()) nobody.fetch_add(1);
      return;
    }
    const Result<Pick> picked = rig.balancer.pick(
        "t", {.strategy = strategy, .key = key, .lease = true, .explain = round % 8 == 0});
    if (!picked) {
      nobody.fetch_add(1);
    } else {
      rig.balancer.release(picked.value().lease->id, SteadyTime{});
    }
  });
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 40; ++i) rig.add("s" + std::to_string(i), {.weight = i % 4});
    pickers.let(20);
    for (int i = 0; i < 40; i += 2) rig.add("s" + std::to_string(i), {.endpoint = "http://moved"});
    for (int i = 0; i < 40; i += 3) rig.put("s" + std::to_string(i), {.weight = 2});
    for (int i = 0; i < 40; i += 5) rig.add("s" + std::to_string(i), {.type = "u", .group = "g"});
    rig.configure("t", {.strategy = kAll[static_cast<std::size_t>(round) % kAll.size()]});
    pickers.let(20);
    for (int i = 0; i < 40; ++i) rig.remove("s" + std::to_string(i));
    pickers.let(20);
  }
  pickers.join();
  EXPECT_EQ(nobody.load(), 0) << "of " << pickers.rounds();
}

// The index of a large pool is patched, made anew and given up under the eyes of pickers.
TEST(Concurrent, KeysOfALargePoolAlwaysFindSomebodyWhileItGrowsAndShrinks) {
  TableWorker tables;
  Rig rig({.worker = tables.worker(), .seed = 1, .random_bytes = {}});
  rig.add("stays");
  std::atomic<int> nobody{0};
  Pickers pickers(kPickers, [&](int, std::uint64_t round) {
    const Instance* picked = rig.balancer.pick_fast("t", Strategy::ip_hash, std::to_string(round));
    if (!picked) nobody.fetch_add(1);
  });
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 2500; ++i) {
      rig.add("s" + std::to_string(i));
      if (i % 50 == 0) pickers.let(4);
    }
    for (int i = 0; i < 2500; i += 2) rig.down("s" + std::to_string(i));
    pickers.let(100);
    for (int i = 0; i < 2500; ++i) {
      rig.remove("s" + std::to_string(i));
      if (i % 50 == 0) pickers.let(4);
    }
  }
  pickers.join();
  EXPECT_EQ(nobody.load(), 0) << "of " << pickers.rounds();
}

// The only one up changes between a pick's first look and its search, on the same thread: the worker is
// asked for a table in between. What came up stands in a version of the pool that the pick has not seen.
TEST(Concurrent, APickLooksAgainBeforeItSaysNobody) {
  std::function<void()> meanwhile;
  Rig rig({.worker =
               [&](const std::function<void()>&) {
                 if (meanwhile) std::exchange(meanwhile, nullptr)();
               },
           .seed = 1,
           .random_bytes = {}});
  for (std::uint32_t i = 0; i < kChunkPlaces; ++i) rig.put("s" + std::to_string(i));  // the chunk is full
  rig.up("s3");
  ASSERT_EQ(rig.fast("t", Strategy::weighted), "s3");
  rig.put("s5", {.weight = 2});  // the table is stale now
  bool happened = false;
  meanwhile = [&] {
    rig.add("new");
    rig.down("s3");
    happened = true;
  };
  EXPECT_EQ(rig.fast("t", Strategy::weighted), "new");
  EXPECT_TRUE(happened);
}

TEST(Concurrent, NamesComeAndGo) {
  Rig rig;
  Pickers pickers(2, [&](int, std::uint64_t round) {
    const std::string name = "n" + std::to_string(round % 100);
    const Instance* picked = rig.balancer.pick_fast(name);
    if (picked) {
      EXPECT_EQ(picked->id(), "m" + name);
    }
  });
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 100; ++i) {
      const std::string name = "n" + std::to_string(i);
      rig.add("m" + name, {.type = name});
    }
    pickers.let(100);
    for (int i = 0; i < 100; ++i) rig.remove("mn" + std::to_string(i));
    pickers.let(100);
  }
}

}  // namespace
}  // namespace azora::balancer
