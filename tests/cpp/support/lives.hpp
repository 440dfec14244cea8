#pragma once
// One orchestrator after another over the same processes and the same store, on virtual time: each ends at any instant
// without a goodbye, and the next one takes back what it left.
// Threads: the test's. Ownership: the lives that ended stay in memory, but nothing of them runs any more.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/core.hpp"
#include "support/fake_keeper.hpp"
#include "support/fake_loop.hpp"
#include "support/fake_prober.hpp"
#include "support/fake_store.hpp"
#include "support/life_loop.hpp"
#include "support/recorder.hpp"

namespace azora::orchestrator {

class Lives {
 public:
  struct Life {
    Life(Lives& lives, CoreOptions options)
        : loop(lives.loop), prober(loop), actions(lives.keeper), core(loop, prober, actions, lives.store, recorder, options) {
      prober.set_default([&lives, this](const health::ProbeRequest& request) {
        const auto found = recorder.pool.find(request.serial);
        const bool ours = found != recorder.pool.end() && found->second->action->owned();
        if (ours && !lives.keeper.alive(request.serial)) return health::FakeProber::Answer::refused();
        return health::FakeProber::Answer::http(200);
      });
    }
    LifeLoop loop;
    health::FakeProber prober;
    actions::ActionTable actions;
    Recorder recorder;
    Core core;
  };

  // Reports of shims take a moment: a link to the keeper is made after the state was taken back.
  Lives() {
    keeper.set_delay([] { return Micros(1); });
    EXPECT_TRUE(begin().ok());
  }
  // The next orchestrator. It is started unless it could not take the state back, which it returns then.
  Result<void> begin() {
    lives_.push_back(std::make_unique<Life>(*this, options));
    loop.set_turn_end([this] { now().core.end_turn(); });
    Result<void> restored = Result<void>();
    turn([&] {
      Result<store::State> state = store::decode_state(store.load().value());
      Result<StoredFleet> fleet = state ? read_stored(std::move(state).value()) : Result<StoredFleet>(state.error());
      if (!fleet) {
        restored = fleet.error();
        return;
      }
      now().core.restore(std::move(fleet).value());
      EXPECT_TRUE(now().core.start().ok());
    });
    return restored;
  }
  // The orchestrator ends. `written`: how many of the batches that were under way are in the store.
  void crash(std::size_t written = 0) {
    now().loop.end();
    loop.set_turn_end([] {});
    store.crash(written);
  }
  void crash_and_begin() {
    crash();
    const Result<void> restored = begin();
    EXPECT_TRUE(restored.ok()) << (restored.ok() ? "" : restored.error().message);
  }
  // Its program ended, and the system with it.
  void reboot() {
    crash();
    options.boot_id = "boot " + std::to_string(lives_.size());
    keeper.vanish();
    EXPECT_TRUE(begin().ok());
  }

  Life& now() { return *lives_.back(); }
  Core& core() { return now().core; }
  Recorder& recorder() { return now().recorder; }
  void turn(const Task& task) {
    loop.post(task);
    loop.run_until_idle();
  }
  void advance(Nanos span) { loop.advance(span); }
  // Registers one entry as Python would. Answers the serial of its first service.
  std::uint64_t add(const std::string& text) {
    Result<std::vector<SpecPtr>> specs = parse_service(text, {.origin = Origin::python, .base_dir = {}, .given_action = nullptr});
    EXPECT_TRUE(specs.ok()) << (specs.ok() ? "" : specs.error().message);
    const std::string id = specs.value().front()->id;
    turn([&] {
      const Result<std::uint64_t> done = core().register_many(std::move(specs).value(), "python");
      EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().message);
    });
    return serial(id);
  }
  std::uint64_t add_process(const std::string& id, const std::string& more = "") {
    return add("{\"id\":\"" + id + "\",\"type\":\"core\",\"endpoint\":\"http://127.0.0.1:" + std::to_string(++last_port_) +
               "\",\"healthCheckInterval\":1000,\"process\":{\"argv\":[\"true\"]}" + (more.empty() ? "" : "," + more) + "}");
  }
  void command(Verb verb, const std::string& id) {
    turn([&] { EXPECT_TRUE(core().command(verb, id, false, false, "python").ok()); });
  }
  ViewPtr view(const std::string& id) { return recorder().view(id); }
  std::uint64_t serial(const std::string& id) { return view(id) ? view(id)->serial : 0; }
  Lifecycle lifecycle(const std::string& id) { return view(id)->lifecycle; }

  CoreOptions options{.boot_id = "boot"};
  FakeLoop loop;
  keeper::FakeKeeper keeper{loop};
  store::FakeStore store{loop};

 private:
  std::vector<std::unique_ptr<Life>> lives_;
  int last_port_ = 7000;
};

}  // namespace azora::orchestrator
