// What a passing check costs the control thread and the net thread in memory: nothing.
#include <gtest/gtest.h>

#include "azora/base/asio_loop.hpp"
#include "azora/health/check.hpp"
#include "azora/health/probe_worker.hpp"
#include "health/scripted_server.hpp"
#include "support/allocations.hpp"

namespace azora::health {
namespace {

constexpr SteadyTime kStart{std::chrono::seconds(5000)};

// Schedule, verdict, tracker, schedule: the whole way of a result, and of the next question.
TEST(CheckCost, TenThousandPassingChecksAllocateNothing) {
  const ProbeSpec spec;
  Scheduler scheduler({.fd_limit = 100'000});
  std::vector<Check> checks(1000);
  for (std::size_t i = 0; i < checks.size(); ++i) {
    checks[i].key = scheduler.add(i + 1, {.target_key = i + 1, .interval = Millis(1000)}, kStart);
    checks[i].target = std::make_shared<ProbeTarget>();
  }
  ProbeResult result;
  result.outcome = Outcome::answered;
  result.http_status = 200;
  std::vector<CheckKey> due;
  SteadyTime now = kStart;
  std::size_t made = 0;
  const auto run = [&](std::size_t count) {
    for (const std::size_t end = made + count; made < end;) {
      now = *scheduler.next();
      scheduler.due(now, due);
      for (const CheckKey& key : due) {
        Check& check = checks[key.slot];
        scheduler.done(key, now + Millis(1));
        const TrackerStep step = check.tracker.apply(judge(result, spec), spec);
        scheduler.set_mode(key, step.confirm_soon ? Mode::confirm : Mode::grid, now);
        ASSERT_EQ(combine(std::span<const Check>(&check, 1), spec).status, HealthStatus::healthy);
        ++made;
      }
    }
  };
  run(5000);
  EXPECT_EQ(allocations_of([&] { run(10'000); }), 0u);
}

TEST(CheckCost, TheNetThreadAllocatesNothingForAPassingCheck) {
  constexpr std::size_t kRound = 8;
  for (const bool keep : {false, true}) {
    ScriptedServer server(ScriptedServer::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    auto target = std::make_shared<ProbeTarget>();
    target->scheme = "http";
    target->host = "127.0.0.1";
    target->port = server.port();
    target->reuse_connection = keep;
    ProberCounters counters;
    std::vector<ProbeRequest> batch;
    std::size_t answered = 0;
    std::size_t rounds = 0;
    std::uint64_t before = 0;
    std::uint64_t allocated = 0;
    ProbeWorker* running = nullptr;
    const auto ask = [&] {
      for (std::size_t i = 0; i < kRound; ++i) {
        batch.push_back({.serial = i + 1, .slot = static_cast<CheckKey::Slot>(i), .target = target});
      }
      running->push(batch);
    };
    // Everything happens on this thread, which is the net thread here: what is counted is all there is.
    ProbeWorker worker({.max_idle = 100, .resolver = {}, .clock = &AsioLoop::steady_now},
                       [&](std::vector<ProbeResult>& results) {
                         for (const ProbeResult& result : results) EXPECT_EQ(result.http_status, 200) << result.error;
                         answered += results.size();
                         results.clear();
                         if (answered < kRound) return;
                         answered = 0;
                         if (++rounds == 100) before = allocations_so_far();
                         if (rounds == 300) {
                           allocated = allocations_so_far() - before;
                           return running->stop();
                         }
                         ask();
                       },
                       counters);
    running = &worker;
    ask();
    worker.run();
    EXPECT_EQ(rounds, 300u);
    EXPECT_EQ(allocated, 0u) << (keep ? "kept connections" : "new connections");
  }
}

}  // namespace
}  // namespace azora::health
