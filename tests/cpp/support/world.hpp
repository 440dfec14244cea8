#pragma once
// The whole core on virtual time: fake loop, prober, keeper, actions and desk of listeners, recorded publication. What a
// service that we run answers follows from its run: alive answers as scripted, dead refuses. A callable is answered by the test alone.
// Threads: the test's.
#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <map>
#include <optional>
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
#include "support/life_loop.hpp"
#include "support/recorder.hpp"

namespace azora::orchestrator {

class World {
 public:
  explicit World(CoreOptions given = {}) : options(std::move(given)), core(make_core()) {
    loop.set_turn_end([this] { core.end_turn(); });
    prober.set_default([this](const health::ProbeRequest& request) {
      if (is_owned(request.serial) && !alive(request.serial)) return health::FakeProber::Answer::refused();
      return health::FakeProber::Answer::http(200);
    });
    callable.set_default({.answer = actions::FakeAction::Answer::never});
    turn([this] { EXPECT_TRUE(core.start().ok()); });
  }

  // The orchestrator ends at this instant, in the middle of what it does: nothing that it does from here on has an effect.
  void cut() {
    is_cut = true;
    keeper.cut();
    store.cut();
    recorder.cut();
    prober.cut();
    callable.cut();
  }
  bool lives() const { return core_.has_value(); }
  int life_number() const { return life_number_; }
  // Outside of its turns. Of the batches that are under way, so many are in the store. `core` must not be used until
  // begin_life(), but by tasks of the loop of a life, of which none runs.
  void end_life(std::size_t written) {
    core_.reset();
    keeper.set_listener(nullptr);
    table_.reset();
    life.end();
    prober.end_life();
    callable.end_life();
    store.crash(written);
    recorder.begin_life();
    is_cut = false;
  }
  // The next orchestrator takes back what the store has.
  Result<void> begin_life() {
    make_core();
    ++life_number_;
    Result<void> restored;
    turn([&] {
      Result<store::State> state = store::decode_state(store.load().value());
      Result<StoredFleet> fleet = state ? read_stored(std::move(state).value()) : Result<StoredFleet>(state.error());
      if (!fleet) {
        restored = fleet.error();
        return;
      }
      core.restore(std::move(fleet).value());
      EXPECT_TRUE(core.start().ok());
    });
    return restored;
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

  CoreOptions options;
  bool is_cut = false;
  FakeLoop loop;
  LifeLoop life{loop};  // of the orchestrator, and of what ends with it
  health::FakeProber prober{life};
  keeper::FakeKeeper keeper{loop};
  actions::FakeAction callable{life, kCallableAction};
  actions::FakeAction unit{loop, actions::kUnitAction};
  actions::FakeAction container{loop, actions::kToldAction};
  actions::FakeAction webhook{loop, actions::kDeafAction};
  store::FakeStore store{loop};
  listeners::FakeListeners listeners{life};
  Recorder recorder;

 private:
  Core& make_core() {
    table_.emplace(keeper, std::initializer_list<actions::ActionTable::Row>{{&kCallableAction, &callable},
                                                                            {&actions::kUnitAction, &unit},
                                                                            {&actions::kToldAction, &container},
                                                                            {&actions::kDeafAction, &webhook}});
    core_.emplace(life, prober, *table_, store, recorder, options);
    core_->set_listener_desk(listeners);
    return *core_;
  }

  std::optional<actions::ActionTable> table_;
  std::optional<Core> core_;
  int life_number_ = 0;

 public:
  Core& core;  // of the present life
  std::vector<std::uint64_t> processes;
  std::map<std::string, int> ports;  // of add_process()
};

}  // namespace azora::orchestrator
