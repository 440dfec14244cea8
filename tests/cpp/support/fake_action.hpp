#pragma once
// Actions of the tests' own, on virtual time: each start is answered as scripted - done,
// late, refused, or never - and where the kind tells exits, what it started lives, ends, stops and is swept like that.
// What the core must never ask for is recorded as a violation: a second start beside a run of ours or before the former
// one has answered, and a signal to what cannot be stopped.
// Threads: the test's.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/actions/action.hpp"
#include "azora/base/loop.hpp"
#include "azora/model/action_kinds.hpp"

namespace azora::actions {

// Kinds that only the tests have, one for each combination of what an action can do that the product has not.
inline constexpr ActionKind kUnitAction{.name = "unit", .tells_exits = true, .can_stop = true};  // as of a service manager
inline constexpr ActionKind kToldAction{.name = "container", .tells_exits = true};  // tells its exits, cannot stop
inline constexpr ActionKind kDeafAction{.name = "webhook", .can_stop = true};       // its stops would never be answered

class FakeAction : public Action {
 public:
  enum class Answer { done, refused, never };
  struct Behaviour {
    Answer answer = Answer::done;
    Nanos answers_in = Millis(5);
    std::optional<Nanos> exits_after;  // by itself, after it was done
    int exit_code = 1;
    bool ignores_stop = false;
    Nanos stops_in = Millis(5);
    Nanos sweeps_in = Millis(1);
  };
  struct Command {
    enum class Kind { start, stop, kill, acknowledge, forget } kind;
    Run run;
    ActionRequest request;  // of a start
    Answer answer = Answer::done;  // that a start will get
  };

  FakeAction(Loop& loop, const ActionKind& kind) : loop_(loop), kind_(kind) {}

  const ActionKind& kind() const { return kind_; }
  void set(std::uint64_t serial, Behaviour behaviour) { behaviour_[serial] = behaviour; }
  void set_default(Behaviour behaviour) { default_ = behaviour; }

  // What it started runs. Always false where exits are not told: it is not known.
  bool alive(std::uint64_t serial) const {
    const auto found = runs_.find(serial);
    return found != runs_.end() && found->second.main_alive;
  }
  bool all_swept() const { return runs_.empty(); }
  // A start has been asked for and not been answered.
  bool answers_later(std::uint64_t serial) const {
    const auto found = asked_.find(serial);
    return found != asked_.end() && found->second.has_value();
  }
  const std::vector<std::string>& violations() const { return violations_; }
  std::vector<ActionRequest> starts() const {
    std::vector<ActionRequest> all;
    for (const Command& one : commands) {
      if (one.kind == Command::Kind::start) all.push_back(one.request);
    }
    return all;
  }

  // The test answers for it, in the turn under way.
  void answer(Run run, ActionResult result) {
    const auto asked = asked_.find(run.serial);
    const bool current = asked != asked_.end() && asked->second == run;
    if (current) asked->second.reset();
    if (on_answer) on_answer(run, result.ok);
    const bool told_from_here = kind_.tells_exits && !kind_.owned();
    if (current && told_from_here && result.ok) runs_[run.serial] = {run, true, behaviour_of(run.serial)};
    listener_->on_action_done(run, std::move(result));
  }
  // What it started ends by itself.
  void crash(std::uint64_t serial, std::optional<int> code = std::nullopt, int signal = 9) {
    const auto found = runs_.find(serial);
    if (found == runs_.end()) return;
    ExitView exit{.code = code};
    if (!code) exit.signal = signal;
    end(found->second.run, exit);
  }
  // All of it is gone, and nothing is known of how.
  void lose(std::uint64_t serial) {
    const auto found = runs_.find(serial);
    if (found == runs_.end() || !found->second.main_alive) return;
    const Run run = found->second.run;
    runs_.erase(found);
    loop_.post([this, run] { listener_->on_action_lost(run, "nothing of it is left"); });
  }

  // The orchestrator has ended in the middle of a turn: what it asks for from here on reaches nobody.
  void cut() { cut_ = true; }
  // What runs in its program has ended with it.
  void end_life() {
    asked_.clear();
    runs_.clear();
    cut_ = false;
  }

  void set_listener(ActionListener* listener) override { listener_ = listener; }
  void start(ActionRequest request) override {
    if (cut_) return;
    const Run run = request.run;
    const Behaviour behaviour = behaviour_of(run.serial);
    std::optional<Run>& asked = asked_[run.serial];
    if (kind_.owned() ? runs_.contains(run.serial) : asked.has_value()) {
      violations_.push_back(request.spec->id + ": started again beside its former run");
    }
    asked = run;
    note({Command::Kind::start, run, request, behaviour.answer});
    if (kind_.owned()) {
      runs_[run.serial] = {run, true, behaviour};
    } else if (const auto former = runs_.find(run.serial); former != runs_.end()) {
      end(former->second.run, {.code = 0});  // told late: that run is not the current one any more
    }
    if (behaviour.answer == Answer::never) return;
    loop_.at(loop_.now().steady + behaviour.answers_in, [this, run, behaviour] { answer_as(run, behaviour); });
  }
  void stop(Run run, const ServiceSpec& spec) override {
    note({Command::Kind::stop, run, {}});
    if (!kind_.owned()) violations_.push_back(spec.id + ": told to stop, which it cannot");
    const auto found = runs_.find(run.serial);
    if (found == runs_.end() || found->second.behaviour.ignores_stop) return;
    loop_.at(loop_.now().steady + found->second.behaviour.stops_in, [this, run] { end(run, {.signal = 15}); });
  }
  void kill(Run run) override {
    note({Command::Kind::kill, run, {}});
    if (!kind_.owned()) violations_.emplace_back("killed, which it cannot be");
    loop_.post([this, run] { end(run, {.signal = 9}); });
  }
  void acknowledge(Run run) override {
    note({Command::Kind::acknowledge, run, {}});
    const auto found = runs_.find(run.serial);
    if (found != runs_.end() && found->second.run == run) violations_.emplace_back("its end was acknowledged before it had ended");
  }
  void forget(std::uint64_t serial) override {
    note({Command::Kind::forget, {.serial = serial}, {}});
    if (kind_.owned() && runs_.contains(serial)) violations_.emplace_back("forgotten while it runs");
    asked_.erase(serial);
    runs_.erase(serial);  // what runs without us goes on, and is not told any more
  }

  std::vector<Command> commands;
  std::function<void(const Command&)> on_command;
  std::function<void(Run, bool ok)> on_answer;  // before the listener hears of it

 private:
  struct Running {
    Run run;
    bool main_alive = false;
    Behaviour behaviour;
  };

  void note(Command command) {
    commands.push_back(std::move(command));
    if (on_command) on_command(commands.back());
  }
  Behaviour behaviour_of(std::uint64_t serial) const {
    const auto found = behaviour_.find(serial);
    return found == behaviour_.end() ? default_ : found->second;
  }
  void answer_as(Run run, const Behaviour& behaviour) {
    const bool ok = behaviour.answer == Answer::done;
    const auto found = runs_.find(run.serial);
    const bool ended = kind_.owned() && (found == runs_.end() || found->second.run != run || !found->second.main_alive);
    answer(run, {.ok = ok, .reason = ok ? "" : "it was refused"});
    if (!ok && kind_.owned() && !ended) {
      runs_.erase(run.serial);
      return listener_->on_action_swept(run);
    }
    if (!ok || ended || !kind_.tells_exits || !behaviour.exits_after) return;
    loop_.at(loop_.now().steady + *behaviour.exits_after, [this, run, behaviour] { end(run, {.code = behaviour.exit_code}); });
  }
  void end(Run run, ExitView exit) {
    const auto found = runs_.find(run.serial);
    if (found == runs_.end() || found->second.run != run || !found->second.main_alive) return;
    found->second.main_alive = false;
    exit.at = loop_.now().wall;
    loop_.post([this, run, exit] { listener_->on_action_exited(run, exit); });
    loop_.at(loop_.now().steady + found->second.behaviour.sweeps_in, [this, run] {
      const auto swept = runs_.find(run.serial);
      if (swept == runs_.end() || swept->second.run != run || swept->second.main_alive) return;
      runs_.erase(swept);
      listener_->on_action_swept(run);
    });
  }

  Loop& loop_;
  const ActionKind& kind_;
  ActionListener* listener_ = nullptr;
  Behaviour default_;
  bool cut_ = false;
  std::map<std::uint64_t, Behaviour> behaviour_;
  std::map<std::uint64_t, Running> runs_;                // by serial; where exits are told
  std::map<std::uint64_t, std::optional<Run>> asked_;    // and not answered yet
  std::vector<std::string> violations_;
};

}  // namespace azora::actions
