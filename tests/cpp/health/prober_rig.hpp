#pragma once
// A NetProber with its control loop on the test's thread, and a way to ask and wait for the answers.
// Threads: the test's.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/health/net_prober.hpp"

namespace azora::health {

inline std::shared_ptr<const ProbeTarget> target_of(const std::string& scheme, const std::string& host, std::uint16_t port,
                                                    Millis timeout = Millis(5000)) {
  auto target = std::make_shared<ProbeTarget>();
  target->kind = scheme == "tcp" ? ProbeKind::tcp : ProbeKind::http;
  target->scheme = scheme;
  target->host = host;
  target->port = port;
  target->path = "/health";
  target->timeout = timeout;
  return target;
}

inline std::shared_ptr<const ProbeTarget> http_target(std::uint16_t port, Millis timeout = Millis(5000)) {
  return target_of("http", "127.0.0.1", port, timeout);
}

// With reuseConnection.
inline std::shared_ptr<const ProbeTarget> kept(const std::shared_ptr<const ProbeTarget>& target) {
  auto out = std::make_shared<ProbeTarget>(*target);
  out->reuse_connection = true;
  return out;
}

class ProberRig {
 public:
  explicit ProberRig(NetProberOptions options = {}) : prober(loop, std::move(options)) {
    prober.set_sink([this](const std::vector<ProbeResult>& batch) {
      ++batches;
      for (const ProbeResult& result : batch) {
        ++answers[result.serial];
        results.push_back(result);
      }
      if (results.size() >= wanted_) loop.stop();
    });
    EXPECT_TRUE(prober.start().ok());
  }

  // The control thread's question; a serial is its own slot here.
  void post_ask(std::vector<ProbeRequest> batch) {
    for (ProbeRequest& request : batch) request.slot = static_cast<CheckKey::Slot>(request.serial);
    prober.ask(batch);
  }
  void forget(Serial serial) { prober.forget({serial, static_cast<CheckKey::Slot>(serial)}); }

  // Asks, and waits until `expected` further results came (default: one each).
  std::vector<ProbeResult> ask(std::vector<ProbeRequest> batch) {
    const std::size_t expected = batch.size();
    loop.post([this, batch = std::move(batch)]() mutable { post_ask(std::move(batch)); });
    return wait_for(expected);
  }
  ProbeResult ask(std::shared_ptr<const ProbeTarget> target, std::uint64_t serial = 1) {
    std::vector<ProbeResult> got = ask({{.serial = serial, .incarnation = 7, .generation = 9, .target = std::move(target)}});
    return got.empty() ? ProbeResult{} : got[0];
  }
  std::vector<ProbeResult> wait_for(std::size_t expected) {
    wanted_ = expected;
    if (results.size() < wanted_) {
      const TimerId limit = loop.at(loop.now().steady + std::chrono::seconds(60), [this] { loop.stop(); });
      loop.run();
      loop.cancel(limit);
    }
    EXPECT_EQ(results.size(), expected);
    wanted_ = SIZE_MAX;
    return std::exchange(results, {});
  }
  // Runs the control loop until `done` holds, looking at it every millisecond.
  template <typename Done>
  bool run_until(Done done) {
    const SteadyTime limit = loop.now().steady + std::chrono::seconds(30);
    std::function<void()> look = [&] {
      if (done() || loop.now().steady > limit) return loop.stop();
      loop.at(loop.now().steady + Millis(1), look);
    };
    loop.post(look);
    loop.run();
    return done();
  }

  AsioLoop loop;
  std::vector<ProbeResult> results;
  std::map<std::uint64_t, int> answers;  // by serial, ever
  int batches = 0;

 private:
  std::size_t wanted_ = SIZE_MAX;

 public:
  NetProber prober;  // last: goes first, while what it answers to is still there
};

}  // namespace azora::health
