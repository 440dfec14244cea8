// What an event costs from append() to its readers' hands, in turns of kTurn events, all on one thread, so that wake-ups
// and the scheduler stay out of it; figures are per event. The peer: a queue per reader under a mutex with a condition
// variable, each event pushed and notified alone.
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "azora/events/log.hpp"
#include "cases.hpp"

namespace azora::bench {
namespace {

constexpr int kTurn = 64;

Event make_event(const std::shared_ptr<const std::string>& id) {
  Event event;
  event.type = EventType::service_healthy;
  event.service_id = id;
  event.cause = "health";
  event.actor = "orchestrator";
  return event;
}

void through_the_log(benchmark::State& state, int readers) {
  const ThreadRole::Scope role(control_thread);
  const auto log = std::make_shared<events::EventLog>();
  const auto id = std::make_shared<const std::string>("service");
  std::vector<std::shared_ptr<events::Cursor>> cursors;
  for (int i = 0; i < readers; ++i) cursors.push_back(log->cursor(0, {}));
  while (state.KeepRunningBatch(kTurn)) {
    for (int i = 0; i < kTurn; ++i) log->append(make_event(id));
    log->publish_turn();
    for (const auto& cursor : cursors) benchmark::DoNotOptimize(cursor->drain(kTurn * 4));
  }
}

void to_json(benchmark::State& state) {
  const Event event = make_event(std::make_shared<const std::string>("service"));
  for (auto _ : state) benchmark::DoNotOptimize(event_json(event));
}

struct Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<const Event>> events;
};

void through_queues(benchmark::State& state, int readers) {
  const auto id = std::make_shared<const std::string>("service");
  std::vector<Queue> queues(static_cast<std::size_t>(readers));
  while (state.KeepRunningBatch(kTurn)) {
    for (int i = 0; i < kTurn; ++i) {
      const auto event = std::make_shared<const Event>(make_event(id));
      for (Queue& queue : queues) {
        {
          const std::lock_guard<std::mutex> lock(queue.mutex);
          queue.events.push_back(event);
        }
        queue.changed.notify_one();
      }
    }
    for (Queue& queue : queues) {
      for (int i = 0; i < kTurn; ++i) {
        const std::lock_guard<std::mutex> lock(queue.mutex);
        benchmark::DoNotOptimize(queue.events.front()->seq);
        queue.events.pop_front();
      }
    }
  }
}

}  // namespace

void add_event_cases() {
  benchmark::RegisterBenchmark("events/append", through_the_log, 0);
  for (const int readers : {1, 2, 4}) {
    benchmark::RegisterBenchmark(numbered("events/append-and-drain/", readers).c_str(), through_the_log, readers);
    benchmark::RegisterBenchmark(numbered("peer/event-queues-mutex/", readers).c_str(), through_queues, readers);
  }
  benchmark::RegisterBenchmark("events/json", to_json);
}

}  // namespace azora::bench
