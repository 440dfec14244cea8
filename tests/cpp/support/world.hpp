#pragma once
// The whole core on virtual time: fake loop, prober and keeper, recorded publication. What a process service
// answers follows from its process: alive answers as scripted, dead refuses.
// Threads: the test's.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/core.hpp"
#include "support/fake_keeper.hpp"
#include "support/fake_loop.hpp"
#include "support/fake_prober.hpp"
#include "support/fake_store.hpp"
#include "support/recorder.hpp"

namespace azora::orchestrator {

class World {
 public:
  explicit World(CoreOptions given = {}) : options(given), core(loop, prober, keeper, store, recorder, given) {
    loop.set_turn_end([this] { core.end_turn(); });
    prober.set_default([this](const health::ProbeRequest& request) {
      if (is_process(request.serial) && !keeper.alive(request.serial)) return health::FakeProber::Answer::refused();
      return health::FakeProber::Answer::http(200);
    });
    turn([this] { core.start(); });
  }

  void turn(const Task& task) {
    loop.post(task);
    loop.run_until_idle();
  }
  // Registers one entry as a file would; fails the test when it is refused. Answers its serial.
  std::uint64_t add(const std::string& text, bool callback = false) {
    Result<std::vector<SpecPtr>> specs = parse_service(text, {.origin = Origin::python, .has_callback = callback});
    EXPECT_TRUE(specs.ok()) << (specs.ok() ? "" : specs.error().message);
    if (!specs) return 0;
    const std::string id = specs.value().front()->id;
    turn([&] {
      const Result<std::uint64_t> done = core.register_many(std::move(specs).value(), "python");
      EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().message);
    });
    return recorder.view(id) ? recorder.view(id)->serial : 0;
  }
  std::uint64_t add_process(const std::string& id, const std::string& more = "") {
    const std::uint64_t serial = add("{\"id\":\"" + id + "\",\"type\":\"core\",\"endpoint\":\"http://127.0.0.1:7001\"," +
                                     "\"healthCheckInterval\":1000,\"process\":{\"argv\":[\"true\"]}" +
                                     (more.empty() ? "" : "," + more) + "}");
    processes.push_back(serial);
    return serial;
  }
  void advance(Nanos span) { loop.advance(span); }
  ViewPtr view(const std::string& id) const { return recorder.view(id); }
  Lifecycle lifecycle(const std::string& id) const { return recorder.view(id)->lifecycle; }
  HealthStatus status(const std::string& id) const { return recorder.view(id)->status; }
  // Processes answer as long as they live; whatever else is asked answers always.
  bool is_process(std::uint64_t serial) const {
    const auto found = recorder.pool.find(serial);
    return found != recorder.pool.end() && found->second->process.has_value();
  }

  const CoreOptions options;
  FakeLoop loop;
  health::FakeProber prober{loop};
  keeper::FakeKeeper keeper{loop};
  store::FakeStore store{loop};
  Recorder recorder;
  Core core;
  std::vector<std::uint64_t> processes;
};

}  // namespace azora::orchestrator
