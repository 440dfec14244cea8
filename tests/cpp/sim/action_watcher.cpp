#include "sim/action_watcher.hpp"

#include <algorithm>
#include <vector>

namespace azora::orchestrator {
namespace {

// A turn may be late by a stall of the loop, a command by a store that does not answer.
constexpr std::chrono::seconds kSlack{15};

keeper::FakeKeeper::Command as_command(const actions::FakeAction::Command& command, SteadyTime now) {
  using From = actions::FakeAction::Command::Kind;
  using To = keeper::FakeKeeper::Command::Kind;
  const To kind = command.kind == From::start         ? To::launch
                  : command.kind == From::stop        ? To::stop
                  : command.kind == From::kill        ? To::kill
                  : command.kind == From::acknowledge ? To::acknowledge
                                                      : To::forget;
  const bool fails = command.answer == actions::FakeAction::Answer::refused;
  const std::string id = command.request.spec ? command.request.spec->id : std::string();
  return {kind, command.run.serial, command.run.incarnation, now, id, fails};
}

// How long a service may stay in this lifecycle; nullopt: as long as it likes.
std::optional<Nanos> patience(const ServiceView& view) {
  const ServiceSpec& spec = *view.spec;
  const Millis stop = spec.process ? spec.process->stop_timeout : Millis(10'000);
  const Millis kill = spec.restart->kill_timeout;
  switch (view.lifecycle) {
    // It counts from the start, and again from what the action reports.
    case Lifecycle::starting:
    case Lifecycle::adopt: return 2 * spec.probe->start_timeout;
    case Lifecycle::stopping: return stop;
    case Lifecycle::killing: return kill;
    case Lifecycle::sweep: return std::max({stop, kill, Millis(2'000)});
    default: return std::nullopt;
  }
}

}  // namespace

ActionWatcher::ActionWatcher(World& world, Watcher& watcher) : world_(world), watcher_(watcher) {
  for (actions::FakeAction* fake : world_.fakes()) {
    fake->on_command = [this, then = fake->on_command](const actions::FakeAction::Command& command) {
      on_command(command);
      if (then) then(command);
    };
    fake->on_answer = [this](actions::Run run, bool ok) {
      on_answer(run);
      if (ok) done_.emplace(id_of_[run.serial], run.incarnation);
    };
  }
  world_.unit.on_command = [this, then = world_.unit.on_command](const actions::FakeAction::Command& command) {
    then(command);
    world_.keeper.on_command(as_command(command, now()));  // what is ours is judged as a process is
  };
  world_.recorder.on_append = [this, then = world_.recorder.on_append](const Recorder::Seen& event) {
    on_event(event);
    then(event);
  };
  world_.recorder.on_publish = [this, then = world_.recorder.on_publish] {
    then();
    on_publish();
  };
  world_.prober.on_answer = [this, then = world_.prober.on_answer](const health::ProbeResult& result) {
    const bool passed = result.outcome == health::Outcome::answered && result.http_status < 500;
    const auto id = id_of_.find(result.serial);
    if (passed && id != id_of_.end()) passed_[id->second] = now();
    then(result);
  };
}

void ActionWatcher::on_command(const actions::FakeAction::Command& command) {
  if (command.kind != actions::FakeAction::Command::Kind::start) return;
  id_of_[command.run.serial] = command.request.spec->id;
  const Told run{command.request.spec->id, command.run.incarnation};
  asked_.insert(run);
  // The same id may have been another service's.
  answered_.erase(run);
  done_.erase(run);
  exited_.erase(run);
}

void ActionWatcher::on_answer(const actions::Run& run) { answered_.emplace(id_of_[run.serial], run.incarnation); }

void ActionWatcher::on_event(const Recorder::Seen& event) {
  const ViewPtr view = world_.view(event.id);
  if (!view || !view->spec->action->acts || view->spec->action == &kProcessAction) return;
  const Told run{event.id, event.incarnation};
  const bool by_its_result = event.type == EventType::service_started || event.type == EventType::service_restarted;
  if (by_its_result && event.incarnation >= view->incarnation && !done_.contains(run)) {
    watcher_.found("own results", event.id, std::string(wire_name(event.type)) + " without a result of that run");
  }
  if (event.type != EventType::service_exited) return;
  exited_.insert(run);
  ended_now_[event.id] = event.incarnation;
}

// Only what may wait for its dependencies is followed when nothing else is published.
bool ActionWatcher::changed() {
  if (!ended_now_.empty() || std::exchange(board_, world_.recorder.board) != world_.recorder.board) return true;
  return std::any_of(stays_.begin(), stays_.end(), [](const auto& one) {
    return one.second.lifecycle == Lifecycle::starting || one.second.lifecycle == Lifecycle::adopt;
  });
}

void ActionWatcher::on_publish() {
  if (!world_.recorder.board || !changed()) return;
  world_.recorder.board->in_order.for_each([this](const ViewPtr& view) {
    check_exit(*view);
    follow(*view);
  });
  ended_now_.clear();
}

// An exit is a fact: what passed its checks until then is down.
void ActionWatcher::check_exit(const ServiceView& view) {
  const auto ended = ended_now_.find(view.spec->id);
  if (ended == ended_now_.end() || ended->second != view.incarnation || !view.spec->action->tells_exits) return;
  const auto passed = passed_.find(view.spec->id);
  const bool came_back = passed != passed_.end() && passed->second == now();  // by itself, in this very turn
  if (view.lifecycle == Lifecycle::ready && view.desired == Desired::up && world_.core.running() && !came_back) {
    const auto before = stays_.find(view.spec->id);
    if (before != stays_.end() && before->second.lifecycle == Lifecycle::ready && before->second.serial == view.serial) {
      watcher_.found("exits are believed", view.spec->id, "READY though its end was told");
    }
  }
}

void ActionWatcher::follow(const ServiceView& view) {
  Stay& stay = stays_[view.spec->id];
  const bool same_run = stay.serial == view.serial && stay.incarnation == view.incarnation;
  if (same_run && stay.lifecycle == Lifecycle::starting) check_end_of_start(view, stay);
  const bool same = same_run && stay.lifecycle == view.lifecycle;
  if (!same) stay.entered = now();
  const bool starts = view.lifecycle == Lifecycle::starting || view.lifecycle == Lifecycle::adopt;
  const bool explained = starts && !needs_hold(view);
  const bool left_alone = view.desired == Desired::hold;  // its time begins anew when that is over
  if (!same || explained || left_alone || stay.left_alone || stay.generation != view.generation) stay.since = now();
  stay = {view.serial, view.incarnation, view.generation, view.lifecycle, stay.entered, stay.since, left_alone};
}

// A start fails by its own result, by the end of what it started, or because it took too long.
void ActionWatcher::check_end_of_start(const ServiceView& view, const Stay& before) {
  const bool failed = view.lifecycle == Lifecycle::backoff || view.lifecycle == Lifecycle::failed ||
                      view.lifecycle == Lifecycle::sweep || view.lifecycle == Lifecycle::done;
  const Told run{view.spec->id, view.incarnation};
  if (!failed || !asked_.contains(run) || answered_.contains(run) || exited_.contains(run)) return;
  if (stays_.at(view.spec->id).generation != view.generation) return;
  if (now() - before.entered < view.spec->probe->start_timeout) {
    watcher_.found("own results", view.spec->id, "its start is given up on before it was answered");
  }
}

void ActionWatcher::life_ended() {
  stays_.clear();
  board_.reset();
  ended_now_.clear();
}

bool ActionWatcher::needs_hold(const ServiceView& view) const { return !view.healing || view.healing->blocked_by.empty(); }

void ActionWatcher::check_turn() {
  std::vector<std::string> violations = world_.keeper.violations();
  for (actions::FakeAction* fake : world_.fakes()) {
    violations.insert(violations.end(), fake->violations().begin(), fake->violations().end());
  }
  if (violations.size() > violations_) watcher_.found("one run, and what its action can do", "", violations.back());
  violations_ = violations.size();
  world_.recorder.board->in_order.for_each([this](const ViewPtr& view) { check_patience(*view); });
}

void ActionWatcher::check_patience(const ServiceView& view) {
  const auto stay = stays_.find(view.spec->id);
  if (stay == stays_.end() || stay->second.serial != view.serial || stay->second.lifecycle != view.lifecycle) return;
  if (view.lifecycle == Lifecycle::starting && view.desired == Desired::hold) return;  // no start is ended then
  const std::optional<Nanos> may = patience(view);
  if (may && now() - stay->second.since > *may + kSlack) {
    watcher_.found("deadlines", view.spec->id, "still " + std::string(wire_name(view.lifecycle)));
  }
  const bool tries = view.lifecycle == Lifecycle::backoff || view.lifecycle == Lifecycle::failed;
  // It may have passed while no orchestrator lived.
  const auto due = [&] { return std::max(*view.healing->next_attempt, stay->second.entered); };
  if (tries && view.healing && view.healing->next_attempt && now() > due() + kSlack) {
    watcher_.found("deadlines", view.spec->id, "its next attempt is overdue");
  }
}

}  // namespace azora::orchestrator
