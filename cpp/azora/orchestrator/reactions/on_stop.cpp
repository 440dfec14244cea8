#include "azora/orchestrator/reactions/on_stop.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azora/model/service_name.hpp"
#include "azora/orchestrator/standing.hpp"

namespace azora::orchestrator {

using healing::Cause;
using healing::Input;

namespace {

constexpr Millis kStopGrace{5'000};

constexpr Input kStop{.kind = Input::Kind::desire, .desired = Desired::down, .cause = Cause::shutdown};

// While everything is stopped, no action is started. Actions that were due for services that run without us are
// cancelled; after a start, the first answer of such a service decides.
void keep_hands_off(Fleet& fleet, Drive& drive) AZORA_CONTROL {
  std::vector<std::uint64_t> serials;
  fleet.for_each([&](std::uint64_t serial, const ServiceState& service) {
    if (!service.leaving && service.acts() && !service.owned()) serials.push_back(serial);
  });
  for (const std::uint64_t serial : serials) {
    ServiceState& service = *fleet.by_serial(serial);
    const Desired desired = service.wanted == Desired::down ? Desired::down : Desired::hold;
    drive.feed(service, {.kind = Input::Kind::desire, .desired = desired, .cause = Cause::shutdown});
  }
}

}  // namespace

void start_all(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) {
  if (fleet.running()) return;
  fleet.set_running(true);
  end_stop(turn, shutdown, fleet.living_ids());
  turn.board_changed();
  for (const std::uint64_t serial : fleet.serials_in_order()) {
    ServiceState* service = fleet.by_serial(serial);
    if (service == nullptr) continue;
    if (!service->owned()) {
      service->begin_anew();
      drive.feed(*service, {.kind = Input::Kind::checks_anew});
    }
    drive.refresh_status(*service);
    drive.evaluate_dependencies(*service);
    drive.bring_up(*service);
    turn.mark_dirty(*service);
  }
  drive.run_to_fixpoint();
}

void stop_all(Fleet& fleet, Turn& turn, Probing& probing, Verbs& verbs, Shutdown& shutdown, Drive& drive,
              SteadyTime deadline, StopScope scope, Shutdown::Done done) {
  if (shutdown.is_abandoned()) {
    turn.answer([done = std::move(done), left = fleet.living_ids(scope)] { done(left); });
    return;
  }
  if (shutdown.under_way()) {
    const StopScope before = shutdown.scope();
    shutdown.begin(deadline, scope, std::move(done));
    if (shutdown.scope() == before) return;
    fleet.for_each([&](std::uint64_t serial, const ServiceState&) { shutdown.look_at(serial); });  // the kept ones, too
    return;
  }
  if (!fleet.running() && !fleet.has_living(scope)) {
    turn.answer([done = std::move(done)] { done({}); });
    return;
  }
  fleet.set_running(false);
  for (const StagedVerb& dropped : verbs.take_all()) {
    if (ServiceState* service = fleet.by_serial(dropped.serial)) service->waits_to_stop = false;
    turn.mark_durable(dropped.serial);
  }
  turn.board_changed();
  shutdown.begin(deadline, scope, std::move(done));
  keep_hands_off(fleet, drive);
  fleet.for_each([&](std::uint64_t serial, ServiceState& service) {
    control_thread.assert_held();
    if (service.leaving) return;
    drive.refresh_status(service);
    turn.set_standing(service, standing_of(service, fleet.watched()));
    probing.forget(service);
    probing.apply_mode(service);
    turn.mark_dirty(service);
    shutdown.look_at(serial);
  });
  stop_next(fleet, turn, shutdown, drive);
}

SteadyTime stop_limit(const Fleet& fleet, SteadyTime now) {
  std::vector<const ServiceState*> living;
  fleet.for_each([&](std::uint64_t, const ServiceState& service) {
    if (service.alive()) living.push_back(&service);
  });
  const auto rank = [&graph = fleet.graph()](const ServiceState* service) { return graph.rank(*service->id); };
  std::sort(living.begin(), living.end(), [&](const auto* a, const auto* b) { return rank(a) < rank(b); });
  // Per entry: the time until its last instance and all its dependencies have stopped. Dependents have a greater rank
  // and stop first; a service that does not live delays nothing.
  std::unordered_map<std::string_view, Millis> chains;
  Millis longest{0};
  for (const ServiceState* service : living) {
    Millis chain{0};
    for (const Dependency& dependency : service->spec->dependencies) {
      const auto below = chains.find(entry_of(dependency.id));
      if (below != chains.end()) chain = std::max(chain, below->second);
    }
    if (service->spec->process) chain += service->spec->process->stop_timeout;
    Millis& of_entry = chains[entry_of(*service->id)];
    of_entry = std::max(of_entry, chain);
    longest = std::max(longest, chain);
  }
  return now + longest + kStopGrace;
}

void stop_next(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) {
  while (const std::optional<std::uint64_t> serial = shutdown.take_look()) {
    ServiceState* service = fleet.by_serial(*serial);
    if (service == nullptr || !service->owned()) continue;
    const bool over = service->machine.lifecycle == Lifecycle::idle || service->machine.desired == Desired::down;
    if (over || !is_within(*service, shutdown.scope())) continue;
    const bool needed = fleet.has_living_dependent(*service, shutdown.scope());
    if (needed) continue;
    drive.feed(*service, kStop);
  }
  if (shutdown.under_way() && !fleet.has_living(shutdown.scope())) end_stop(turn, shutdown, {});
}

void stop_overdue(Fleet& fleet, Turn& turn, Shutdown& shutdown, Drive& drive) {
  const std::vector<std::string> left = fleet.living_ids(shutdown.scope());
  std::vector<std::uint64_t> serials;
  fleet.for_each([&](std::uint64_t serial, const ServiceState& service) {
    if (!is_within(service, shutdown.scope())) return;
    if (service.owned() && service.machine.lifecycle != Lifecycle::idle) serials.push_back(serial);
  });
  for (const std::uint64_t serial : serials) {
    // Includes services that still wait for their dependents: the end that comes now is planned.
    ServiceState* service = fleet.by_serial(serial);
    drive.feed(*service, kStop);
    if (service->alive()) turn.send(Send::to_kill(service->run(), service->spec->action));
  }
  end_stop(turn, shutdown, left);
}

void end_stop(Turn& turn, Shutdown& shutdown, const std::vector<std::string>& left) {
  for (Shutdown::Done& done : shutdown.end()) {
    turn.answer([done = std::move(done), left] { done(left); });
  }
}

}  // namespace azora::orchestrator
