// Starts: in their order, at their time, and for their price.
#include <algorithm>
#include <cmath>
#include <utility>

#include "azora/model/service_name.hpp"
#include "sim/watcher.hpp"

namespace azora::orchestrator {
namespace {

constexpr Millis kSlot{5'000};

}  // namespace

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

void Watcher::on_launch(const std::string& id, std::uint64_t serial, std::uint64_t incarnation, bool fails) {
  id_of_[serial] = id;
  const ViewPtr view = world_.view(id);
  if (!view || view->serial != serial) return found("desired down wins", id, "started while not registered");
  const ServiceSpec& spec = *view->spec;
  Known& known = known_[id];
  // One that waited for the store is judged by what was so when it was decided.
  const bool published = known.start == Run{serial, incarnation};
  const bool left_alone = view->desired == Desired::hold || (view->owner && view->owner->maintenance);
  const bool wanted = view->desired != Desired::down && (!left_alone || published);
  if (!wanted || !world_.core.running()) found("desired down wins", id, "started while it is to be down, or left alone");
  const bool held = published ? known.needs_held : dependencies_hold(spec);
  const SteadyTime decided = published ? known.decided : now();
  const bool failed_since = known.failed_at && *known.failed_at > decided;
  if (!held) found("dependencies first", id, "started before what it needs");
  const bool same = std::exchange(known.serial, serial) == serial;
  if (same && incarnation <= known.incarnation) found("incarnations", id, "a number twice");
  // Its last run went along with a dependency: a planned start, which waits for nothing and costs nothing.
  const bool along = known.along && known.along->first == serial && known.along->second + 1 == incarnation;
  const bool waits = known.failed_at && spec.restart->delay && !known.operator_acted && !along && !failed_since;
  if (waits && now() - *known.failed_at + slack() < *spec.restart->delay) {
    found("restartDelay", id, "started too early after its failure");
  }
  if (!failed_since && !along) check_policy(known, id, spec);
  if (!failed_since && !along) check_budget(known, id, spec);
  known.incarnation = incarnation;
  if (fails) known.killed = false;
  known.operator_acted = false;
  known.failure = fails;
  known.rests = false;
  known.explained = false;
  known.failed_at.reset();
  check_bucket(known, id, decided);
}

void Watcher::check_bucket(Known& known, const std::string& id, SteadyTime decided) {
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

// What is never to be restarted, or ended as it should, is left alone.
void Watcher::check_policy(const Known& known, const std::string& id, const ServiceSpec& spec) {
  if (known.operator_acted) return;
  const RestartOn on = spec.restart->on;
  if (known.rests && on != RestartOn::always) found("restartPolicy", id, "started again though it had ended with 0");
  if (known.failure && on == RestartOn::never) found("restartPolicy", id, "started again though that is never to be");
}

// Moments are stored by the wall clock, in whole milliseconds.
Nanos Watcher::slack() const { return Millis(world_.life_number() > 0 ? 2 : 0); }

// The n-th restart of an episode waits n times doubled, counted from the failure.
void Watcher::check_delay(const ServiceView& view) {
  const bool now_backs_off = view.lifecycle == Lifecycle::backoff;
  Known& known = known_[view.spec->id];
  const bool begins = now_backs_off && !std::exchange(known.backs_off, now_backs_off);
  known.backs_off = now_backs_off;
  if (!begins || !known.failed_at || !view.healing || !view.healing->next_attempt) return;
  const RestartPolicy& policy = view.spec->restart;
  const Millis base = policy.delay.value_or(Millis(0));
  const int doubled = view.healing->attempts - (base > Millis(0) ? 0 : 1);
  if (doubled < 0) return;
  const double first = static_cast<double>((base > Millis(0) ? base : Millis(1'000)).count());
  const double delay = first * std::pow(policy.factor, doubled);
  const double most = static_cast<double>(std::max(base, policy.max_delay).count());
  const Millis least(static_cast<std::int64_t>(std::min(delay, most)));
  if (*view.healing->next_attempt - *known.failed_at + slack() < least) {
    found("backoff", view.spec->id, "restart " + std::to_string(view.healing->attempts + 1) + " comes sooner than after " +
                                        std::to_string(least.count()) + " ms");
  }
}

// Restarts after failures that nothing explains, since it last was well for long or somebody took it in hand.
void Watcher::check_budget(Known& known, const std::string& id, const ServiceSpec& spec) {
  if (!known.failure || known.explained || known.operator_acted) return;
  ++known.spent;
  // Beyond the budget only single tries out of FAILED, which was told.
  if (spec.restart->max_restarts >= 0 && known.spent > spec.restart->max_restarts && !known.failed_told) {
    found("budget", id, "restart " + std::to_string(known.spent) + " of " + std::to_string(spec.restart->max_restarts));
  }
}

void Watcher::called(const actions::ActionRequest& request) {
  const std::string& id = request.spec->id;
  if (world_.recorder.published != world_.recorder.events.size()) {
    found("order of a turn", id, "an action before its turn's events were published");
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

}  // namespace azora::orchestrator
