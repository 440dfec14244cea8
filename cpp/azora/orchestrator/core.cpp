#include "azora/orchestrator/core.hpp"

#include <algorithm>
#include <utility>

#include "azora/orchestrator/invariants.hpp"
#include "azora/orchestrator/outlook.hpp"
#include "azora/orchestrator/reactions/on_action.hpp"
#include "azora/orchestrator/reactions/on_check.hpp"
#include "azora/orchestrator/reactions/on_command.hpp"
#include "azora/orchestrator/reactions/on_process.hpp"
#include "azora/orchestrator/reactions/on_registration.hpp"
#include "azora/orchestrator/reactions/on_self.hpp"
#include "azora/orchestrator/reactions/on_stop.hpp"

namespace azora::orchestrator {

using healing::Input;

namespace {

Error closed_meanwhile() { return {ErrorCode::closed, "the orchestrator was closed meanwhile", {}}; }

}  // namespace

Core::Core(Loop& loop, health::Prober& prober, actions::ActionTable& actions, store::Store& store, Publisher& publisher,
           CoreOptions options)
    : actions_(actions),
      commits_(loop, store,
               {.fleet = fleet_,
                .verbs = verbs_,
                .now = [&loop] { return loop.now(); },
                .event_head = [&publisher] { return publisher.head(); },
                .epoch = [&actions] { return actions.keeper_epoch(); },
                .ordinal =
                    [this](std::uint64_t serial) {
                      control_thread.assert_held();
                      return probing_.ordinal(serial);
                    }},
               hooks(loop)),
      turn_(loop, publisher, commits_.journal()),
      probing_(loop, prober, fleet_, turn_, options.fd_limit),
      admission_(loop, options.max_concurrent_starts, options.starts_per_second,
                 [this](std::uint64_t serial) {
                   control_thread.assert_held();
                   feed(serial, Input::Kind::slot_expired);
                 }),
      evidence_(loop, fleet_,
                [this](ServiceState& service) {
                  control_thread.assert_held();
                  drive_.feed(service, {.kind = Input::Kind::evidence, .cause = healing::Cause::evidence});
                },
                [this](std::uint64_t serial) {
                  control_thread.assert_held();
                  turn_.mark_durable(serial);
                }),
      waiters_(loop),
      shutdown_(loop,
                [this] {
                  control_thread.assert_held();
                  stop_overdue(fleet_, turn_, shutdown_, drive_);
                }),
      drive_(loop, fleet_, turn_, probing_, admission_, evidence_, shutdown_),
      ownership_(loop, fleet_,
                 [this](ServiceState& service, health::Check& check, const health::ProbeResult& result) {
                   control_thread.assert_held();
                   on_settled_result(turn_, probing_, drive_, service, check, result);
                 }),
      self_watch_(loop, self_, [this](bool up) {
        control_thread.assert_held();
        on_link_changed(fleet_, drive_, up);
      }) {
  prober.set_sink([this](const std::vector<health::ProbeResult>& results) {
    control_thread.assert_held();
    on_check_results(turn_, probing_, ownership_, drive_, results);
  });
  actions_.set_listener(this, this);
}

Core::~Core() = default;

// Views and pools, events, records, answers, sends: in this order.
void Core::end_turn() {
  control_thread.assert_held();
  drive_.run_to_fixpoint();
  run_staged(fleet_, turn_, verbs_, drive_);
  stop_next(fleet_, turn_, shutdown_, drive_);
  if (fleet_.running()) admit();
  self_watch_.on_stalls(probing_.stalls());
  emit_self(turn_, self_);
  if (!waiters_.empty()) {
    for (const ServiceState* service : turn_.dirty()) {
      waiters_.wake(*service->id);
      const Lifecycle lifecycle = service->machine.lifecycle;
      if (lifecycle == Lifecycle::failed || lifecycle == Lifecycle::done || lifecycle == Lifecycle::backoff ||
          service->wanted == Desired::down) {
        waiters_.wake_all();
      }
    }
  }
  turn_.publish({.running = fleet_.running(),
                 .healthy = fleet_.healthy(),
                 .unhealthy = fleet_.unhealthy(),
                 .alive = fleet_.alive()});
  answer_waiters();
  fleet_.drop_ended();
  commits_.end_turn(turn_.take_answers(), turn_.take_sends());
  probing_.end_turn();
}

void Core::admit() {
  const SteadyTime now = turn_.now().steady;
  const auto granted = [this](Input::Kind kind) {
    return [this, kind](std::uint64_t serial) {
      control_thread.assert_held();
      feed(serial, kind);
      return fleet_.by_serial(serial) != nullptr;
    };
  };
  admission_.grant_permits(now, granted(Input::Kind::permitted));
  admission_.admit(now, granted(Input::Kind::admitted));
  drive_.run_to_fixpoint();
  evidence_.end_turn(now);
}

void Core::feed(std::uint64_t serial, Input::Kind kind) {
  if (ServiceState* service = fleet_.by_serial(serial)) drive_.feed(*service, {.kind = kind});
}

// The service whose start this still is; null: it was stopped or replaced meanwhile.
ServiceState* Core::meant_by(const Send& send) {
  ServiceState* service = fleet_.by_serial(send.run.serial);
  if (service == nullptr || service->machine.incarnation != send.run.incarnation) return nullptr;
  return service;
}

Commits::Hooks Core::hooks(Loop& loop) {
  return {.deliver = [this](Send& send) { orchestrator::deliver(actions_, send); },
          .wanted =
              [this](const Send& send) {
                control_thread.assert_held();
                const ServiceState* service = meant_by(send);
                return service != nullptr && fleet_.running() && service->machine.lifecycle == Lifecycle::starting &&
                       service->machine.desired == Desired::up && service->wanted == Desired::up;
              },
          .dropped =
              [this, &loop](const Send& send) {
                loop.post([this, send] {
                  control_thread.assert_held();
                  for (const Input::Kind kind : {Input::Kind::launch_failed, Input::Kind::swept}) {
                    if (ServiceState* service = meant_by(send)) {
                      drive_.feed(*service, {.kind = kind, .incarnation = send.run.incarnation});
                    }
                  }
                });
              },
          .held =
              [this](const Send& send) {
                control_thread.assert_held();
                admission_.begins_later(send.run.serial);
              },
          .late =
              [this, &loop](const Send& send) {
                control_thread.assert_held();
                admission_.begins_now(send.run.serial, loop.now().steady);
              },
          .trouble = [this](const Error* trouble) {
            trouble != nullptr ? self_.set(Part::store, trouble->message) : self_.clear(Part::store);
          }};
}

Result<void> Core::set_own_address(const std::string& host, std::uint16_t port) {
  control_thread.assert_held();
  return fleet_.set_own_address(host, port);
}

void Core::after_publish(std::function<void()> answer) {
  control_thread.assert_held();
  turn_.answer(std::move(answer));
}

void Core::after_commit(std::function<void(const Result<void>&)> answer) {
  control_thread.assert_held();
  turn_.acknowledge(std::move(answer));
}

void Core::set_file_stamp(FileStamp stamp) {
  control_thread.assert_held();
  evidence_.set_file_stamp(std::move(stamp));
}

void Core::set_listener_desk(listeners::Desk& desk) {
  control_thread.assert_held();
  ownership_.set_desk(desk);
}

bool Core::running() const {
  control_thread.assert_held();
  return fleet_.running();
}

std::size_t Core::processes_alive() const {
  control_thread.assert_held();
  return fleet_.alive();
}

const Error* Core::storage_trouble() const {
  control_thread.assert_held();
  return commits_.trouble();
}

Result<void> Core::start() {
  control_thread.assert_held();
  if (shutdown_.is_last()) return closed_meanwhile();
  start_all(fleet_, turn_, shutdown_, drive_);
  return {};
}

void Core::stop(SteadyTime deadline, Shutdown::Done done) {
  control_thread.assert_held();
  if (shutdown_.is_abandoned()) {
    turn_.answer([done = std::move(done), left = fleet_.living_ids()] { done(left); });
    return;
  }
  stop_all(fleet_, turn_, probing_, verbs_, shutdown_, drive_, std::min(deadline, stop_limit(fleet_, turn_.now().steady)),
           std::move(done));
}

void Core::close(SteadyTime deadline, Shutdown::Done done) {
  control_thread.assert_held();
  shutdown_.make_last();
  stop(deadline, std::move(done));
}

Result<std::uint64_t> Core::register_many(std::vector<SpecPtr> specs, EventActor actor, Apply apply) {
  control_thread.assert_held();
  if (const Error* trouble = commits_.trouble()) return *trouble;
  const Turn::ActingFor acting(turn_, actor);
  Result<void> done = on_register({fleet_, turn_, probing_, admission_, waiters_, drive_}, std::move(specs), apply);
  if (!done) return std::move(done).error();
  return turn_.head();
}

Result<std::uint64_t> Core::register_requests(std::vector<Request> requests) {
  control_thread.assert_held();
  const auto owned = [this](std::string_view name) AZORA_CONTROL {
    const registry::Entry* entry = fleet_.registry().find(name);
    return entry == nullptr ? nullptr : owned_entry(entry->spec);
  };
  std::vector<SpecPtr> specs;
  for (Request& request : requests) {
    Result<Request> now = brought_up_to_date(std::move(request), owned);
    if (!now) return std::move(now).error();
    specs.insert(specs.end(), now.value().specs.begin(), now.value().specs.end());
  }
  return register_many(std::move(specs), "rest");
}

Result<bool> Core::unregister(std::string_view name, EventActor actor) {
  control_thread.assert_held();
  if (const Error* trouble = commits_.trouble()) return *trouble;
  const Turn::ActingFor acting(turn_, actor);
  return on_unregister({fleet_, turn_, probing_, admission_, waiters_, drive_}, name);
}

Result<VerbAnswer> Core::command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                                 EventActor actor) {
  control_thread.assert_held();
  if (const Error* trouble = commits_.trouble()) return *trouble;
  const Turn::ActingFor acting(turn_, actor);
  return on_command(fleet_, turn_, verbs_, drive_,
                    {.verb = verb, .name = id, .dependents = dependents, .dependencies = dependencies});
}

void Core::wait_for(std::string id, bool ready, SteadyTime deadline, Waiters::Done done, SteadyTime horizon) {
  waiters_.add(std::move(id), ready, deadline, std::move(done), horizon);
}

void Core::answer_waiters() {
  const auto look = [this](const std::string& name, SteadyTime horizon) {
    control_thread.assert_held();
    std::vector<Waiters::Seen> seen;
    fleet_.for_each_of(name, [&](const ServiceState& service) AZORA_CONTROL {
      seen.push_back({.id = *service.id,
                      .wanted_down = service.wanted == Desired::down,
                      .alive = service.alive(),
                      .pending = verbs_.contains(service.serial),
                      .done_job = is_done_job(service),
                      .not_coming = why_not_coming(fleet_, service, horizon),
                      .lifecycle = service.machine.lifecycle,
                      .status = service.status,
                      .last_error = service.last_error()});
    });
    return seen;
  };
  for (Waiters::Answer& answer : waiters_.due(look)) turn_.answer(std::move(answer));
}

void Core::abandon_waiters() {
  control_thread.assert_held();
  shutdown_.abandon();
  for (Waiters::Answer& answer : waiters_.abandon(closed_meanwhile())) turn_.answer(std::move(answer));
  commits_.abandon(closed_meanwhile());
  end_stop(turn_, shutdown_, fleet_.living_ids());
}

void Core::handler_failed(std::string reason) {
  control_thread.assert_held();
  on_handler_failed(turn_, std::move(reason));
}

void Core::set_usage(std::string_view id, std::uint64_t incarnation, double cpu_percent, std::int64_t rss_bytes) {
  control_thread.assert_held();
  on_usage(fleet_, turn_, id, incarnation, cpu_percent, rss_bytes);
}

void Core::on_action_done(Run run, actions::ActionResult result) {
  control_thread.assert_held();
  orchestrator::on_action_done(fleet_, probing_, drive_, run, std::move(result));
}

void Core::on_action_warning(Run run, std::string reason) {
  control_thread.assert_held();
  orchestrator::on_action_warning(fleet_, run, std::move(reason));
}

void Core::on_action_exited(Run run, const ExitView& exit) {
  control_thread.assert_held();
  orchestrator::on_action_exited(fleet_, turn_, drive_, run, exit);
}

void Core::on_action_swept(Run run) {
  control_thread.assert_held();
  acknowledge(run);
  orchestrator::on_action_swept(fleet_, drive_, run);
}

void Core::on_action_lost(Run run, std::string reason) {
  control_thread.assert_held();
  acknowledge(run);
  orchestrator::on_action_lost(fleet_, turn_, drive_, run, std::move(reason));
}

// A record of one whose service has left went with its forgetting.
void Core::acknowledge(Run run) {
  if (const ServiceState* service = fleet_.by_serial(run.serial)) {
    turn_.send(Send::to_acknowledge(run, service->spec->action));
  }
}

void Core::on_output_dropped(std::uint64_t serial, std::uint64_t lines, const keeper::LogLoss& loss) {
  control_thread.assert_held();
  log_dropped_.add(orchestrator::on_output_dropped(fleet_, turn_, serial, lines, loss));
}

void Core::on_keeper_link(bool up, std::string reason) { self_watch_.on_link(up, std::move(reason)); }

// Every shim of this fleet was started by us, so one that holds no service of ours has missed its forgetting.
void Core::on_unknown_process(const keeper::Record& record) {
  control_thread.assert_held();
  if (fleet_.by_serial(record.serial) == nullptr) turn_.send(Send::to_forget(record.serial, &kProcessAction));
}

void Core::doubt_listener(std::uint64_t serial) {
  control_thread.assert_held();
  ServiceState* service = fleet_.by_serial(serial);
  if (service != nullptr && ownership_.doubt(*service)) probing_.hurry(*service);
}

WhySources Core::why_sources() const {
  return {.keeper_trouble = self_.reason(Part::keeper),
          .start_waits_since = [this](std::uint64_t serial) { return commits_.start_waits_since(serial); }};
}

CoreCounts Core::counts() const {
  const Turn::Counts& turns = turn_.counts();
  const Probing::Counts& probes = probing_.counts();
  return {.turns = turns.turns.value(),
          .views_built = turns.views_built.value(),
          .turn_views = turns.turn_views.value(),
          .probes_asked = probes.asked.value(),
          .results_stale = probes.stale.value(),
          .results_void = probes.dropped_late.value(),
          .in_flight = probes.in_flight.value(),
          .loop_stalls = probes.stalls.value(),
          .log_dropped = log_dropped_.value(),
          .figures_written = figures_written()};
}

std::vector<std::string> Core::violations() const {
  control_thread.assert_held();
  std::vector<std::string> found = orchestrator::violations(fleet_);
  for (std::string& one : commits_.journal().violations()) found.push_back(std::move(one));
  return found;
}

}  // namespace azora::orchestrator
