// Cost of one event from append() to a reader's hands: one producer that publishes turns of `turn` events, one
// reader per cursor on a thread of its own. The peer in the same run: a queue per reader under a mutex with a
// condition variable, each event pushed and notified alone. One JSON line per setting.
// Use: bench_events [events=1000000] [turn=64]
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "azora/events/log.hpp"

namespace {

using namespace azora;
using Clock = std::chrono::steady_clock;

Event make_event(const std::shared_ptr<const std::string>& id) {
  Event event;
  event.type = EventType::service_healthy;
  event.service_id = id;
  event.cause = "health";
  event.actor = "orchestrator";
  return event;
}

double nanoseconds_each(Clock::time_point begun, int count) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count()) / count;
}

double through_the_log(int count, int turn, int readers) {
  auto log = std::make_shared<events::EventLog>();
  const auto id = std::make_shared<const std::string>("service");
  const auto last = static_cast<std::uint64_t>(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < readers; ++i) {
    threads.emplace_back([cursor = log->cursor(0, {}), last] {
      std::uint64_t seen = 0;
      while (seen < last) {
        for (const events::EventPtr& event : cursor->drain(1024)) {
          seen = event->type == EventType::gap ? event->detail->gap_to : event->seq;
        }
        if (seen < last) cursor->wait(Millis(1000));
      }
    });
  }
  const auto begun = Clock::now();
  for (int i = 1; i <= count; ++i) {
    log->append(make_event(id));
    if (i % turn == 0 || i == count) log->publish_turn();
  }
  for (std::thread& thread : threads) thread.join();
  return nanoseconds_each(begun, count);
}

struct Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<const Event>> events;
};

double through_queues(int count, int readers) {
  const auto id = std::make_shared<const std::string>("service");
  std::vector<std::unique_ptr<Queue>> queues;
  std::vector<std::thread> threads;
  for (int i = 0; i < readers; ++i) {
    queues.push_back(std::make_unique<Queue>());
    threads.emplace_back([queue = queues.back().get(), count] {
      for (int seen = 0; seen < count; ++seen) {
        std::unique_lock<std::mutex> lock(queue->mutex);
        queue->changed.wait(lock, [&] { return !queue->events.empty(); });
        queue->events.pop_front();
      }
    });
  }
  const auto begun = Clock::now();
  for (int i = 0; i < count; ++i) {
    const auto event = std::make_shared<const Event>(make_event(id));
    for (const auto& queue : queues) {
      {
        const std::lock_guard<std::mutex> lock(queue->mutex);
        queue->events.push_back(event);
      }
      queue->changed.notify_one();
    }
  }
  for (std::thread& thread : threads) thread.join();
  return nanoseconds_each(begun, count);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  const int turn = argc > 2 ? std::atoi(argv[2]) : 64;
  if (count < 1 || turn < 1) {
    std::fprintf(stderr, "use: bench_events [events >= 1] [turn >= 1]\n");
    return 2;
  }
  for (const int readers : {1, 2, 4}) {
    const double ours = through_the_log(count, turn, readers);
    const double peer = through_queues(count, readers);
    std::printf("{\"bench\":\"events\",\"events\":%d,\"turn\":%d,\"readers\":%d,\"ns_per_event\":%.0f,"
                "\"peer_queue_ns_per_event\":%.0f,\"ratio\":%.2f}\n",
                count, turn, readers, ours, peer, ours / peer);
  }
  return 0;
}
