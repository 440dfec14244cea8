#include "sim/watcher.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {
namespace {

constexpr Millis kStable{60'000};  // the least stableAfter there is

}  // namespace

Watcher::Watcher(World& world) : world_(world), board_(world.recorder.board) {
  world_.recorder.on_append = [this](const Recorder::Seen& event) { on_event(event); };
  world_.recorder.on_publish = [this] { on_publish(); };
  world_.keeper.on_command = [this](const Command& command) { on_command(command); };
  world_.prober.on_ask = [this](const health::ProbeRequest& request) { on_ask(request); };
  world_.prober.on_answer = [this](const health::ProbeResult& result) {
    on_answer(result);
  };
}

void Watcher::operator_acts(const std::string& id) {
  tell(id, "- the test acts on it");
  reads_.added(id);
  Known& known = known_[id];
  known.operator_acted = true;
  known.spent = 0;
  known.failed_at.reset();
  known.failed = 0;
  known.killed = false;
  known.may_fail_again = true;
  known.rests = false;
  first_.clear();
}

void Watcher::removed(const std::string& id) {
  known_.erase(id);
  first_.clear();
  reads_.removed(id);
  mass_.forget(id);
  whose_.removed(id);
}

void Watcher::on_event(const Recorder::Seen& event) {
  const bool owed = std::exchange(owes_mass_event_, false);
  if (mass_.can_tell() && owed != (event.type == EventType::mass_unhealthy)) {
    found("mass", event.id, std::string(wire_name(event.type)) + " where massUnhealthy was due, or the reverse");
  }
  if (event.type == EventType::health_check) return on_counted(event);
  if (event.id.empty()) return;
  tell(event.id, std::string(wire_name(event.type)) + " " + std::to_string(event.incarnation) + " " + event.cause);
  const auto place = known_.find(event.id);
  if (place == known_.end()) return;  // the end of one that was removed
  Known& known = place->second;
  const ViewPtr view = world_.view(event.id);
  const bool of_a_run = event.type == EventType::service_exited || event.type == EventType::service_stopped;
  if (of_a_run && view && (!view->process || event.incarnation > view->incarnation)) return;  // of a former bearer
  reads_.on_event(event);
  switch (event.type) {
    case EventType::service_exited: return on_exited(known, event, view);
    case EventType::service_healthy:
    case EventType::service_degraded: return on_well(known, event, view);
    case EventType::service_unhealthy:
      end_of_health(known);
      if (!view && restoring_) mass_.cannot_tell();
      if (!view) break;
      if (!view->spec->action->owned() && !restoring_) {
        known.failure = true;
        known.explained = false;
        known.failed_at = now();
      }
      owes_mass_event_ = mass_.turned_bad(event.id, *view);
      break;
    case EventType::service_registered:
      if (event.cause != "register") break;
      known.called = false;  // what a former bearer called is not its business
      mass_.forget(event.id);
      break;
    case EventType::service_failed: return on_failed(known, event, view);
    case EventType::service_stopped:
      known.failed_told = false;
      known.failure = false;
      known.spent = 0;
      known.killed = false;
      break;
    case EventType::service_blocked:
      known.killed = false;
      break;
    case EventType::maintenance_ended:  // it may be started at once, or stopped, since its owner said so before
    case EventType::service_drained: return operator_acts(event.id);
    case EventType::service_started: return whose_.started(event.id);
    case EventType::service_restarted:
      whose_.told_well(event.id, view);
      note_along(event.id);
      if (known.answered != event.incarnation && view && view->spec->target.kind != ProbeKind::process) {
        found("restarted after readiness", event.id, "serviceRestarted before it answered");
      }
      break;
    default: break;
  }
}

void Watcher::on_exited(Known& known, const Recorder::Seen& event, const ViewPtr& view) {
  // One that goes along may have ended before it could be told to: that costs nothing either.
  const bool along = view && known.along == Run{view->serial, event.incarnation};
  const bool planned = event.cause == "operator" || event.cause == "shutdown" || event.cause == "dependency" || along;
  const bool rests = event.cause == "clean" && !(view && view->spec->restart->on == RestartOn::always);
  const bool owned = view && view->spec->action->owned();
  // What runs without us may end while it was given up on: that is no news.
  const bool given_up = view && !owned && view->lifecycle != Lifecycle::ready && view->lifecycle != Lifecycle::starting;
  // What ends by itself is down for a reason of its own from there on.
  if (event.cause != "liveness" && event.cause != "startTimeout") known.killed = false;
  if (!planned && !rests && !given_up) {
    // Told again by the next orchestrator, it is no other failure.
    const bool again = known.failed == event.incarnation && world_.life_number() > 0;
    known.failure = true;
    known.explained = false;
    if (!again) known.failed_at = now();
    known.failed = event.incarnation;
  }
  known.rests = rests && !planned && owned;
  first_.erase(event.id);
  end_of_health(known);
  if (const std::string mass = std::exchange(known.stopped_in_mass, ""); !mass.empty() && event.cause == "liveness") {
    found("mass", event.id, "killed for its checks while most of " + mass + " were bad");
  }
  if (!view) return;
  if (owned) ended_.emplace(view->serial, event.incarnation);
  const auto tier = world_.recorder.tiers.find(view->serial);
  if (tier != world_.recorder.tiers.end() && tier->second != Tier::excluded) {
    found("rotation", event.id, "in rotation while its exit is told");
  }
}

void Watcher::on_well(Known& known, const Recorder::Seen& event, const ViewPtr& view) {
  whose_.told_well(event.id, view);
  known.answered = event.incarnation;
  known.failed_told = false;
  known.killed = false;
  mass_.forget(event.id);
  if (event.type == EventType::service_degraded) end_of_health(known);
  if (event.type == EventType::service_healthy && !known.healthy_since) known.healthy_since = now();
  // What the next orchestrator believes at first is judged by what is stored.
  if (!restoring_ && view && view->spec->action->owned() && view->spec->target.kind != ProbeKind::process &&
      !passed_.contains({view->serial, event.incarnation})) {
    found("own answers", event.id, "believed well without an answer of incarnation " + std::to_string(event.incarnation));
  }
}

void Watcher::on_failed(Known& known, const Recorder::Seen& event, const ViewPtr& view) {
  if (known.failed_told && !known.may_fail_again) found("failed once", event.id, "serviceFailed twice for one stay");
  known.failed_told = true;
  known.may_fail_again = false;
  known.killed = false;
  // Not satisfied before this turn; on_publish() looks whether it still is not. Under never one failure is the end.
  const auto& events = world_.recorder.events;
  // A dependency may have come back earlier in this turn.
  const bool back = view && std::any_of(events.begin() + static_cast<std::ptrdiff_t>(world_.recorder.published), events.end(),
                                        [&](const Recorder::Seen& one) {
    return one.type == EventType::service_healthy &&
           std::any_of(view->spec->dependencies.begin(), view->spec->dependencies.end(),
                       [&](const Dependency& need) { return names_service(need.id, one.id); });
  });
  if (waiting_.contains(event.id) && view && !back && view->spec->restart->on != RestartOn::never && !dependencies_hold(*view->spec)) {
    found("explained failures", event.id, "given up on while a dependency is not satisfied");
  }
}

// The budget is given back after a long time of uninterrupted health.
void Watcher::end_of_health(Known& known) {
  if (known.healthy_since && now() - *known.healthy_since >= kStable) known.spent = 0;
  known.healthy_since.reset();
}

void Watcher::on_publish() {
  reads_.on_publish();
  const auto& board = world_.recorder.board;
  if (board == board_ || !board) return;
  board_ = board;
  waited_ = std::exchange(waiting_, {});
  board_->in_order.for_each([&](const ViewPtr& view) {
    if (view->lifecycle != Lifecycle::starting) known_[view->spec->id].slot.reset();
    const bool judged = view->lifecycle == Lifecycle::ready || view->lifecycle == Lifecycle::watching;
    if (!judged || !world_.core.running()) known_[view->spec->id].failures = 0;
    if (view->lifecycle == Lifecycle::blocked && known_[view->spec->id].called) known_[view->spec->id].killed = false;
    if (view->lifecycle == Lifecycle::ready) {
      known_[view->spec->id].failed_told = false;
      known_[view->spec->id].killed = false;  // back, if perhaps not well yet
    }
    note_decision(*view);
    check_delay(*view);
    check_along(*view);
    if (dependencies_hold(*view->spec)) return;
    waiting_.insert(view->spec->id);
    known_[view->spec->id].explained = true;
  });
}

void Watcher::on_command(const Command& command) {
  if (world_.recorder.published != world_.recorder.events.size()) {
    found("order of a turn", "", "a process command before its turn's events were published");
  }
  constexpr std::array names = {"launch", "stop", "kill", "forget", "adopt", "acknowledge"};
  tell(command.kind == Command::Kind::launch ? command.id : id_of_[command.serial],
       std::string("> ") + names[static_cast<std::size_t>(command.kind)] + " " + std::to_string(command.incarnation));
  if (command.kind == Command::Kind::launch) on_launch(command.id, command.serial, command.incarnation, command.fails);
  if (command.kind == Command::Kind::stop) on_stop(command);
}

void Watcher::check_turn() {
  if (!problems().empty()) return;
  for (const std::string& text : world_.core.violations()) found("machine", "", text);
  if (world_.recorder.published != world_.recorder.events.size()) found("order of a turn", "", "events were left unpublished");
  reads_.check_turn();
  whose_.check_turn();
}

void Watcher::check_leftovers() {
  if (world_.loop.timer_count() != 0) found("leftovers", "", std::to_string(world_.loop.timer_count()) + " timers");
  if (world_.prober.in_flight_count() != 0) found("leftovers", "", "probes in flight");
  if (!world_.keeper.all_swept() || !world_.unit.all_swept()) found("leftovers", "", "processes");
  if (world_.core.processes_alive() != 0) found("leftovers", "", "processes counted");
  if (!world_.recorder.pool.empty() || !world_.recorder.board->by_id.empty()) found("leftovers", "", "readers still find some");
}

}  // namespace azora::orchestrator
