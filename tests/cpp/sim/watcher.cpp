#include "sim/watcher.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "azora/model/service_name.hpp"

namespace azora::orchestrator {
namespace {

constexpr Millis kSlot{5'000};
constexpr Millis kStable{60'000};  // the least stableAfter there is
constexpr std::chrono::minutes kLongestBrake{5};
constexpr std::chrono::minutes kLongestHesitation{2};  // of verbs that wait for their turn

bool is_status(EventType type) {
  return type == EventType::service_healthy || type == EventType::service_degraded || type == EventType::service_unhealthy;
}

HealthStatus status_of(EventType type) {
  return type == EventType::service_healthy    ? HealthStatus::healthy
         : type == EventType::service_degraded ? HealthStatus::degraded
                                               : HealthStatus::unhealthy;
}

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

void Watcher::found(const std::string& promise, const std::string& id, const std::string& what) {
  if (problems_.size() < 5) {
    problems_.push_back("[" + promise + "] " + id + (id.empty() ? "" : ": ") + what + " (at " +
                        std::to_string(to_millis(now().time_since_epoch()).count()) + " ms)");
  }
}

void Watcher::tell(const std::string& id, const std::string& what) {
  if (story_.size() >= 100'000) return;
  story_.push_back(std::to_string(to_millis(now().time_since_epoch()).count()) + " " + id + " " + what);
}

void Watcher::operator_acts(const std::string& id) {
  tell(id, "- the test acts on it");
  Known& known = known_[id];
  known.operator_acted = true;
  known.spent = 0;
  known.failed_at.reset();
  known.killed = false;
  known.may_fail_again = true;
}

void Watcher::removed(const std::string& id) {
  known_.erase(id);
  forget_bad(id);
}

void Watcher::on_event(const Recorder::Seen& event) {
  if (std::exchange(owes_mass_event_, false) != (event.type == EventType::mass_unhealthy)) {
    found("mass", event.id, std::string(wire_name(event.type)) + " where massUnhealthy was due, or the reverse");
  }
  if (event.type == EventType::health_check || event.id.empty()) return;
  tell(event.id, std::string(wire_name(event.type)) + " " + std::to_string(event.incarnation) + " " + event.cause);
  const auto place = known_.find(event.id);
  if (place == known_.end()) return;  // the end of one that was removed
  Known& known = place->second;
  const ViewPtr view = world_.view(event.id);
  const bool of_a_process = event.type == EventType::service_exited || event.type == EventType::service_stopped;
  if (of_a_process && view && (!view->process || event.incarnation > view->incarnation)) return;  // of a former bearer
  if (is_status(event.type)) known.told = status_of(event.type);
  switch (event.type) {
    case EventType::service_exited: {
      // One that goes along may have ended before it could be told to: that costs nothing either.
      const bool along = view && known.along == Run{view->serial, event.incarnation};
      const bool planned = event.cause == "operator" || event.cause == "shutdown" || event.cause == "dependency" || along;
      const bool rests = event.cause == "clean" && !(view && view->spec->restart.on == RestartOn::always);
      // What ends by itself is down for a reason of its own from there on.
      if (event.cause != "liveness" && event.cause != "startTimeout") known.killed = false;
      if (!planned && !rests) {
        known.failure = true;
        known.explained = false;
        known.failed_at = now();
      }
      end_of_health(known);
      if (const std::string mass = std::exchange(known.stopped_in_mass, ""); !mass.empty() && event.cause == "liveness") {
        found("mass", event.id, "killed for its checks while most of " + mass + " were bad");
      }
      if (!view) break;
      ended_.emplace(view->serial, event.incarnation);
      const auto tier = world_.recorder.tiers.find(view->serial);
      if (tier != world_.recorder.tiers.end() && tier->second != Tier::excluded) {
        found("rotation", event.id, "in rotation while its exit is told");
      }
      break;
    }
    case EventType::service_healthy:
    case EventType::service_degraded:
      known.answered = event.incarnation;
      known.failed_told = false;
      known.killed = false;
      forget_bad(event.id);
      if (event.type == EventType::service_degraded) end_of_health(known);
      if (event.type == EventType::service_healthy && !known.healthy_since) known.healthy_since = now();
      if (view && view->process && view->spec->target.kind != ProbeKind::process &&
          !passed_.contains({view->serial, event.incarnation})) {
        found("own answers", event.id, "believed well without an answer of incarnation " + std::to_string(event.incarnation));
      }
      break;
    case EventType::service_unhealthy:
      end_of_health(known);
      if (!view) break;
      if (!view->process) {
        known.failure = true;
        known.explained = false;
        known.failed_at = now();
      }
      turned_bad(event.id, *view);
      break;
    case EventType::service_registered:
      if (event.cause != "register") break;
      known.called = false;  // what a former bearer called is not its business
      forget_bad(event.id);
      break;
    case EventType::service_failed:
      if (known.failed_told && !known.may_fail_again) found("failed once", event.id, "serviceFailed twice for one stay");
      known.failed_told = true;
      known.may_fail_again = false;
      known.killed = false;
      // Not satisfied before this turn; on_publish() looks whether it still is not. Under never one failure is the end.
      if (waiting_.contains(event.id) && view && view->spec->restart.on != RestartOn::never && !dependencies_hold(*view->spec)) {
        found("explained failures", event.id, "given up on while a dependency is not satisfied");
      }
      break;
    case EventType::service_stopped:
      known.failed_told = false;
      known.failure = false;
      known.spent = 0;
      known.killed = false;
      break;
    case EventType::service_blocked:
      known.killed = false;
      break;
    case EventType::service_restarted:
      note_along(event.id);
      if (known.answered != event.incarnation && view && view->spec->target.kind != ProbeKind::process) {
        found("restarted after readiness", event.id, "serviceRestarted before it answered");
      }
      break;
    default: break;
  }
}

// The budget is given back after a long time of uninterrupted health.
void Watcher::end_of_health(Known& known) {
  if (known.healthy_since && now() - *known.healthy_since >= kStable) known.spent = 0;
  known.healthy_since.reset();
}

bool Watcher::dependencies_hold(const ServiceSpec& spec) const {
  return std::all_of(spec.dependencies.begin(), spec.dependencies.end(), [this](const Dependency& dependency) {
    if (dependency.strength != Strength::hard) return true;
    int reached = 0;
    if (!world_.recorder.board) return false;
    world_.recorder.board->in_order.for_each([&](const ViewPtr& view) {
      if (!names_service(dependency.id, view->spec->id)) return;
      const bool well = view->status == HealthStatus::healthy;
      const bool ours = view->spec->action->acts;
      const bool up = ours ? view->lifecycle == Lifecycle::ready : well || view->status == HealthStatus::degraded;
      const bool holds = dependency.condition == Condition::completed ? view->lifecycle == Lifecycle::done
                                                                      : up && (well || dependency.condition == Condition::started);
      reached += holds ? 1 : 0;
    });
    return reached >= dependency.min;
  });
}

void Watcher::on_publish() {
  check_visible_events();
  const auto& board = world_.recorder.board;
  if (board == board_ || !board) return;
  check_board();
  board_ = board;
  waited_ = std::exchange(waiting_, {});
  board_->in_order.for_each([&](const ViewPtr& view) {
    if (view->lifecycle != Lifecycle::starting) known_[view->spec->id].slot.reset();
    const bool judged = view->lifecycle == Lifecycle::ready || view->lifecycle == Lifecycle::watching;
    if (!judged || !world_.core.running()) known_[view->spec->id].failures = 0;
    if (view->lifecycle == Lifecycle::ready) {
      known_[view->spec->id].failed_told = false;
      known_[view->spec->id].killed = false;  // back, if perhaps not well yet
    }
    note_decision(*view);
    check_along(*view);
    if (dependencies_hold(*view->spec)) return;
    waiting_.insert(view->spec->id);
    known_[view->spec->id].explained = true;
  });
}

// Those that go along with it and run at this moment.
void Watcher::note_along(const std::string& restarted) {
  board_->in_order.for_each([&](const ViewPtr& view) {
    for (const Dependency& one : view->spec->dependencies) {
      if (one.on_restart != OnRestart::restart || !names_service(one.id, restarted)) continue;
      Known& known = known_[view->spec->id];
      known.along = Run{view->serial, view->incarnation};
      // Of several instances others may be enough.
      if (one.id == restarted) known.must_go_along = known.along;
    }
  });
}

// Its dependency was restarted in this turn: it was told to stop, or is called, or had ended before.
void Watcher::check_along(const ServiceView& view) {
  Known& known = known_[view.spec->id];
  const bool meant = std::exchange(known.must_go_along, std::nullopt) == Run{view.serial, view.incarnation};
  if (!meant || known.operator_acted || !view.spec->action->acts) return;
  if (view.lifecycle == Lifecycle::ready && view.desired == Desired::up && world_.core.running()) {
    found("restarted along", view.spec->id, "goes on though what it goes along with was restarted");
  }
}

// A command may wait for the store. It was decided with what is published now, and is judged by that.
void Watcher::note_decision(const ServiceView& view) {
  Known& known = known_[view.spec->id];
  const Run run{view.serial, view.incarnation};
  if (view.lifecycle == Lifecycle::starting && known.start != run) {
    known.start = run;
    known.decided = now();
    known.needs_held = dependencies_hold(*view.spec);
  }
  if (view.lifecycle == Lifecycle::stopping && (!known.stop || known.stop->run != run)) {
    known.stop = decision(run, *view.spec);
  }
}

Watcher::Decision Watcher::decision(Run run, const ServiceSpec& spec) {
  const bool explained = !dependencies_hold(spec) && waited_.contains(spec.id);
  return {.run = run, .in_order = stopping_, .explained = explained, .mass = mass_of(spec)};
}

std::string Watcher::mass_of(const ServiceSpec& spec) {
  std::string mass;
  for (const std::string& domain : {spec.group, std::string()}) {
    if (is_mass(domain)) mass = domain.empty() ? "all" : domain;
  }
  return mass;
}

// Whoever reads an event reads a state that contains it.
void Watcher::check_visible_events() {
  for (; visible_ < world_.recorder.events.size(); ++visible_) {
    const Recorder::Seen& event = world_.recorder.events[visible_];
    const auto known = known_.find(event.id);
    if (!is_status(event.type) || known == known_.end()) continue;
    const ViewPtr view = world_.view(event.id);
    if (view && view->status != HealthStatus::unknown && view->status != known->second.told) {
      found("order of a turn", event.id, std::string(wire_name(event.type)) + " is read before the state it tells of");
    }
  }
}

// Counts and versions against the views they are about.
void Watcher::check_board() {
  const Board& board = *world_.recorder.board;
  std::size_t healthy = 0;
  std::size_t unhealthy = 0;
  std::map<std::string, std::pair<HealthStatus, Lifecycle>> listed;
  board.in_order.for_each([&](const ViewPtr& view) {
    healthy += view->status == HealthStatus::healthy ? 1U : 0U;
    unhealthy += view->status == HealthStatus::unhealthy ? 1U : 0U;
    listed.emplace(view->spec->id, std::pair(view->status, view->lifecycle));
    const ViewPtr* same = board.by_id.find(view->spec->id);
    if (same == nullptr || *same != view) found("one board", view->spec->id, "two views of one service");
  });
  std::vector<ViewPtr> ended;
  board.in_order.for_each([&](const ViewPtr& view) {
    if (view->is_ended()) ended.push_back(view);
  });
  if (ended != (board.ended ? *board.ended : std::vector<ViewPtr>())) found("board counts", "", "those that ended are others");
  if (healthy != board.healthy || unhealthy != board.unhealthy) found("board counts", "", "healthy or unhealthy miscounted");
  if (board.by_id.size() != listed.size() || board.in_order.size() != listed.size()) found("one board", "", "sizes differ");
  if (board_ && listed != listed_ && board.list_version == board_->list_version) {
    found("list version", "", "a list changed under the same version");
  }
  listed_ = std::move(listed);
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

void Watcher::on_launch(const std::string& id, std::uint64_t serial, std::uint64_t incarnation, bool fails) {
  id_of_[serial] = id;
  const ViewPtr view = world_.view(id);
  if (!view || view->serial != serial) return found("desired down wins", id, "started while not registered");
  const ServiceSpec& spec = *view->spec;
  Known& known = known_[id];
  if (view->desired != Desired::up || !world_.core.running()) found("desired down wins", id, "started while it is to be down");
  // One that waited for the store is judged by what was so when it was decided.
  const bool published = known.start == Run{serial, incarnation};
  const bool held = published ? known.needs_held : dependencies_hold(spec);
  const SteadyTime decided = published ? known.decided : now();
  const bool failed_since = known.failed_at && *known.failed_at > decided;
  if (!held) found("dependencies first", id, "started before what it needs");
  const bool same = std::exchange(known.serial, serial) == serial;
  if (same && incarnation <= known.incarnation) found("incarnations", id, "a number twice");
  // Its last run went along with a dependency: a planned start, which waits for nothing and costs nothing.
  const bool along = known.along && known.along->first == serial && known.along->second + 1 == incarnation;
  const bool waits = known.failed_at && spec.restart.delay && !known.operator_acted && !along && !failed_since;
  if (waits && now() - *known.failed_at < *spec.restart.delay) {
    found("restartDelay", id, "started too early after its failure");
  }
  if (!failed_since && !along) check_budget(known, id, spec);
  known.incarnation = incarnation;
  if (fails) known.killed = false;
  known.operator_acted = false;
  known.failure = fails;
  known.explained = false;
  known.failed_at.reset();
  // The start bucket.
  known.slot = now();
  const auto slots = std::count_if(known_.begin(), known_.end(), [&](const auto& one) {
    return one.second.slot && now() - *one.second.slot < kSlot;
  });
  const CoreOptions& limits = world_.options;
  if (slots > limits.max_concurrent_starts) found("start bucket", id, std::to_string(slots) + " starts at once");
  // It took its place when it was decided.
  launches_.insert(std::upper_bound(launches_.begin(), launches_.end(), decided), decided);
  while (!launches_.empty() && now() - launches_.front() >= std::chrono::seconds(1)) launches_.pop_front();
  if (std::ssize(launches_) > 2 * limits.starts_per_second) found("start bucket", id, "too many starts in a second");
}

// Restarts after failures that nothing explains, since it last was well for long or somebody took it in hand.
void Watcher::check_budget(Known& known, const std::string& id, const ServiceSpec& spec) {
  if (!known.failure || known.explained || known.operator_acted) return;
  ++known.spent;
  // Beyond the budget only single tries out of FAILED, which was told.
  if (spec.restart.max_restarts >= 0 && known.spent > spec.restart.max_restarts && !known.failed_told) {
    found("budget", id, "restart " + std::to_string(known.spent) + " of " + std::to_string(spec.restart.max_restarts));
  }
}

void Watcher::on_stop(const Command& command) {
  const auto named = id_of_.find(command.serial);
  if (named == id_of_.end()) return found("stop order", "", "told to stop what was never started");
  const std::string& id = named->second;
  const ViewPtr view = world_.view(id);
  if (!view || view->serial != command.serial) return;
  const auto place = known_.find(id);
  if (place == known_.end()) return;
  Known& known = place->second;
  const Run run{command.serial, command.incarnation};
  if (ended_.contains(run)) return;  // it had waited for the store, and came too late
  const Decision decided = known.stop && known.stop->run == run ? *known.stop : decision(run, *view->spec);
  const bool asked_for = stopping_ || !world_.core.running() || view->desired != Desired::up || known.operator_acted ||
                         known.along == run;
  if (known.answered != command.incarnation) {
    // It ends for not having come up in time.
    if (!asked_for && decided.explained) {
      found("explained failures", id, "a start is stopped while a dependency is not satisfied");
    }
    return;
  }
  if (decided.in_order) check_stop_order(id);
  if (asked_for) return;
  // Its exit will say whether it was for its checks: a verb may have waited for its turn.
  if (!decided.mass.empty()) known.stopped_in_mass = decided.mass;
  on_kill(id, *view);
}

void Watcher::check_stop_order(const std::string& id) {
  board_->in_order.for_each([&](const ViewPtr& other) {
    const auto& needs = other->spec->dependencies;
    const bool dependent = std::any_of(needs.begin(), needs.end(), [&](const Dependency& one) { return names_service(one.id, id); });
    if (dependent && world_.keeper.alive(other->serial)) {
      found("stop order", id, "stopped before " + other->spec->id + ", which needs it");
    }
  });
}

// For its checks alone.
void Watcher::on_kill(const std::string& id, const ServiceView& view) {
  known_[id].killed = true;
  std::size_t members = 0;
  std::size_t down = 0;
  board_->in_order.for_each([&](const ViewPtr& other) {
    if (other->spec->group != view.spec->group) return;
    ++members;
    const auto at = known_.find(other->spec->id);
    down += at != known_.end() && at->second.killed ? 1U : 0U;
  });
  if (down > std::max<std::size_t>(1, members / 2)) {
    found("kill permits", id, std::to_string(down) + " of " + std::to_string(members) + " down by our own hand");
  }
}

void Watcher::called(const actions::ActionRequest& request) {
  const std::string& id = request.spec->id;
  if (world_.recorder.published != world_.recorder.events.size()) {
    found("order of a turn", id, "a restart callable before its turn's events were published");
  }
  tell(id, "> call " + std::to_string(request.run.incarnation) + " " + request.cause);
  Known& known = known_[id];
  if (std::exchange(known.called, true)) found("one call", id, "called again before it returned");
  const ViewPtr view = world_.view(id);
  if (!view) return found("desired down wins", id, "called while not registered");
  if (request.cause == "liveness" && !known.operator_acted && !known.explained) on_kill(id, *view);
  on_launch(id, view->serial, request.run.incarnation, false);
}

void Watcher::returned(const std::string& id, bool ok) {
  tell(id, ok ? "- its call is done" : "- its call failed");
  Known& known = known_[id];
  known.called = false;
  const ViewPtr view = world_.view(id);
  if (ok || !view) return;
  const bool waited_for = view->lifecycle == Lifecycle::blocked || view->lifecycle == Lifecycle::backoff ||
                          view->lifecycle == Lifecycle::failed || view->lifecycle == Lifecycle::starting;
  if (waited_for) known.failed_at = now();
  if (view->lifecycle != Lifecycle::starting) return;  // its start was given up on before
  known.killed = false;
  known.failure = true;
  known.explained = false;
}

// One more turned bad: are they most of their group, or of all?
void Watcher::turned_bad(const std::string& id, const ServiceView& view) {
  const bool known = is_mass(view.spec->group) || is_mass("");
  const SteadyTime until = now() + 3 * Nanos(view.spec->probe.interval);
  const bool of_group = note_bad(view.spec->group, id, until);
  const bool of_fleet = note_bad("", id, until);
  owes_mass_event_ = !known && (of_group || of_fleet);
}

bool Watcher::note_bad(const std::string& group, const std::string& id, SteadyTime until) {
  const bool was = is_mass(group);
  Mass& mass = masses_[group];
  if (!was && mass.since) mass = {};  // those of the last time count no more
  if (was) mass.until = std::max(mass.until, until);
  std::erase_if(mass.turned, [&](const auto& one) { return now() > one.second; });
  mass.turned[id] = until;
  std::size_t members = 0;
  board_->in_order.for_each([&](const ViewPtr& other) { members += group.empty() || other->spec->group == group ? 1U : 0U; });
  if (was || mass.turned.size() < 3 || 2 * mass.turned.size() <= members) return false;
  mass.since = now();
  for (const auto& one : mass.turned) mass.until = std::max(mass.until, one.second);
  return true;
}

bool Watcher::is_mass(const std::string& group) {
  const Mass& mass = masses_[group];
  return mass.since && now() <= mass.until && now() - *mass.since <= kLongestBrake;
}

void Watcher::forget_bad(const std::string& id) {
  for (auto& [group, mass] : masses_) mass.turned.erase(id);
}

void Watcher::on_ask(const health::ProbeRequest& request) {
  if (world_.recorder.published != world_.recorder.events.size()) {
    found("order of a turn", "", "a probe before its turn's events were published");
  }
  if (ended_.contains({request.serial, request.incarnation})) {
    found("the dead are not asked", id_of_[request.serial], "probed after its exit was told");
  }
}

// Whatever its action: a service that fails its checks is told unhealthy, and acted on where there is an action.
void Watcher::on_answer(const health::ProbeResult& result) {
  const bool answered = result.outcome == health::Outcome::answered && result.http_status < 500;
  if (answered) passed_.emplace(result.serial, result.incarnation);
  ViewPtr view;
  board_->in_order.for_each([&](const ViewPtr& one) {
    if (one->serial == result.serial) view = one;
  });
  if (!view || result.outcome == health::Outcome::cancelled) return;
  Known& known = known_[view->spec->id];
  const std::pair checked(result.incarnation, result.generation);
  const bool same = std::exchange(known.checked, checked) == checked;
  const bool current = result.incarnation == view->incarnation && result.generation == view->generation;
  const bool counts = current && (view->lifecycle == Lifecycle::ready || view->lifecycle == Lifecycle::watching);
  known.failures = answered || !counts ? 0 : same ? known.failures + 1 : 1;
  // Some may have been under way when it became ready or its checks began anew.
  constexpr int kUnderWay = 2;
  const ProbeSpec& probe = view->spec->probe;
  if (known.failures > probe.unhealthy_threshold + kUnderWay && view->status != HealthStatus::unhealthy) {
    found("checks count", view->spec->id, std::to_string(known.failures) + " failed in a row and it is " +
                                              std::string(wire_name(view->status)));
  }
  if (known.failures <= probe.restart_threshold + kUnderWay || !may_be_acted_on(*view)) return known.unanswered.reset();
  if (!known.unanswered) known.unanswered = now();
  if (now() - *known.unanswered > kLongestHesitation) {
    found("checks count", view->spec->id, "fails them and nothing is done about it");
  }
}

// Nothing that watchers can see hinders it: neither the owner nor a dependency, no brake, no other member that is down.
bool Watcher::may_be_acted_on(const ServiceView& view) {
  if (!view.spec->action->acts || view.spec->restart.on == RestartOn::never) return false;
  if (view.lifecycle != Lifecycle::ready || view.desired != Desired::up) return false;
  if (waiting_.contains(view.spec->id) || is_mass(view.spec->group) || is_mass("")) return false;
  bool others_up = true;
  board_->in_order.for_each([&](const ViewPtr& other) {
    if (other->spec->group == view.spec->group && other->spec->action->acts) {
      others_up = others_up && other->lifecycle == Lifecycle::ready;
    }
  });
  return others_up;
}

void Watcher::stalled() {
  for (auto& one : known_) one.second.failures = 0;
}

void Watcher::check_turn() {
  if (!problems_.empty()) return;
  for (const std::string& text : world_.core.violations()) found("machine", "", text);
  for (; keeper_violations_ < world_.keeper.violations().size(); ++keeper_violations_) {
    found("one incarnation", "", world_.keeper.violations()[keeper_violations_]);
  }
  if (world_.recorder.published != world_.recorder.events.size()) found("order of a turn", "", "events were left unpublished");
  check_views();
}

// What readers see, pickers may pick and events told is one and the same.
void Watcher::check_views() {
  world_.recorder.board->in_order.for_each([&](const ViewPtr& view) {
    const std::string& id = view->spec->id;
    const Known& known = known_[id];
    if (view->status != HealthStatus::unknown && known.told != view->status) {
      found("told what is", id, "is " + std::string(wire_name(view->status)) + ", which no event told");
    }
    const auto tier = world_.recorder.tiers.find(view->serial);
    if (!view->spec->endpoint) return;
    // What others run is judged by its own answers, also while it is being restarted.
    const bool up = !view->process || view->lifecycle == Lifecycle::ready;
    const Tier right = !up || !world_.core.running()                ? Tier::excluded
                       : view->status == HealthStatus::healthy  ? Tier::healthy
                       : view->status == HealthStatus::degraded ? Tier::degraded
                                                                : Tier::excluded;
    if (tier == world_.recorder.tiers.end() || tier->second != right) {
      found("rotation", id, "its place in the pools is not that of a service that is " +
                                std::string(wire_name(view->lifecycle)) + " and " + std::string(wire_name(view->status)));
    }
  });
}

void Watcher::check_leftovers() {
  if (world_.loop.timer_count() != 0) found("leftovers", "", std::to_string(world_.loop.timer_count()) + " timers");
  if (world_.prober.in_flight_count() != 0) found("leftovers", "", "probes in flight");
  if (!world_.keeper.all_swept()) found("leftovers", "", "processes");
  if (world_.core.processes_alive() != 0) found("leftovers", "", "processes counted");
  if (!world_.recorder.pool.empty() || !world_.recorder.board->by_id.empty()) found("leftovers", "", "readers still find some");
}

}  // namespace azora::orchestrator
