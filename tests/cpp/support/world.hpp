#pragma once
// The whole core on virtual time: fake loop, prober, keeper, actions and desk of listeners, recorded publication. What a
// service that we run answers follows from its run: alive answers as scripted, dead refuses. A callable is answered by the test alone.
// Threads: the test's.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/core.hpp"
#include "support/fake_action.hpp"
#include "support/fake_keeper.hpp"
#include "support/fake_listeners.hpp"
#include "support/fake_loop.hpp"
#include "support/fake_prober.hpp"
#include "support/fake_store.hpp"
#include "support/recorder.hpp"

namespace azora::orchestrator {

class World {
 public:
  explicit World(CoreOptions given = {}) : options(given), core(loop, prober, actions, store, recorder, given) {
    core.set_listener_desk(listeners);
    loop.set_turn_end([this] { core.end_turn(); });
    prober.set_default([this](const health::ProbeRequest& request) {
      if (is_owned(request.serial) && !alive(request.serial)) return health::FakeProber::Answer::refused();
      return health::FakeProber::Answer::http(200);
    });
    callable.set_default({.answer = actions::FakeAction::Answer::never});
    turn([this] { EXPECT_TRUE(core.start().ok()); });
  }

  void turn(const Task& task) {
    loop.post(task);
    loop.run_until_idle();
  }
  // Registers one entry as a file would; fails the test when it is refused. Answers its serial.
  std::uint64_t add(const std::string& text, const ActionKind* action = nullptr) {
    Result<std::vector<SpecPtr>> specs = parse_service(text, {.origin = Origin::python, .given_action = action});
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
    const int port = ports.emplace(id, 7001 + static_cast<int>(ports.size())).first->second;  // each has its own
    const std::uint64_t serial = add("{\"id\":\"" + id + "\",\"type\":\"core\",\"endpoint\":\"http://127.0.0.1:" +
                                     std::to_string(port) + "\"," +
                                     "\"healthCheckInterval\":1000,\"process\":{\"argv\":[\"true\"]}" +
                                     (more.empty() ? "" : "," + more) + "}");
    processes.push_back(serial);
    return serial;
  }
  void advance(Nanos span) { loop.advance(span); }
  ViewPtr view(const std::string& id) const { return recorder.view(id); }
  Lifecycle lifecycle(const std::string& id) const { return recorder.view(id)->lifecycle; }
  HealthStatus status(const std::string& id) const { return recorder.view(id)->status; }
  // What we run answers as long as it lives; whatever else is asked answers always.
  bool is_owned(std::uint64_t serial) const {
    const auto found = recorder.pool.find(serial);
    return found != recorder.pool.end() && found->second->action->owned();
  }
  bool alive(std::uint64_t serial) const { return keeper.alive(serial) || unit.alive(serial); }
  std::array<actions::FakeAction*, 4> fakes() { return {&callable, &unit, &container, &webhook}; }

  const CoreOptions options;
  FakeLoop loop;
  health::FakeProber prober{loop};
  keeper::FakeKeeper keeper{loop};
  actions::FakeAction callable{loop, kCallableAction};
  actions::FakeAction unit{loop, actions::kUnitAction};
  actions::FakeAction container{loop, actions::kToldAction};
  actions::FakeAction webhook{loop, actions::kDeafAction};
  actions::ActionTable actions{keeper,
                               {{&kCallableAction, &callable},
                                {&actions::kUnitAction, &unit},
                                {&actions::kToldAction, &container},
                                {&actions::kDeafAction, &webhook}}};
  store::FakeStore store{loop};
  listeners::FakeListeners listeners{loop};
  Recorder recorder;
  Core core;
  std::vector<std::uint64_t> processes;
  std::map<std::string, int> ports;  // of add_process()
};

}  // namespace azora::orchestrator
