#include "azora/orchestrator/core.hpp"

#include <algorithm>
#include <utility>

#include "azora/orchestrator/commit_hooks.hpp"
#include "azora/orchestrator/core_counts.hpp"
#include "azora/orchestrator/invariants.hpp"
#include "azora/orchestrator/outlook.hpp"
#include "azora/orchestrator/reactions/on_check.hpp"
#include "azora/orchestrator/reactions/on_command.hpp"
#include "azora/orchestrator/reactions/on_process.hpp"
#include "azora/orchestrator/reactions/on_registration.hpp"
#include "azora/orchestrator/reactions/on_restore.hpp"
#include "azora/orchestrator/reactions/on_stop.hpp"

namespace azora::orchestrator {

using healing::Input;
namespace {

Error closed_meanwhile() { return {ErrorCode::closed, "the orchestrator was closed in the meantime", {}}; }

}  // namespace

Core::Core(Loop& loop, health::Prober& prober, actions::ActionTable& actions, store::Store& store, Publisher& publisher,
           CoreOptions options)
    : commits_(loop, store,
               {.fleet = fleet_,
                .verbs = verbs_,
                .now = [&loop] { return loop.now(); },
                .event_head = [&publisher] { return publisher.head(); },
                .epoch = [&actions] { return actions.keeper_epoch(); },
                .ordinal = [this](std::uint64_t serial) {
                  control_thread.assert_held();
                  return probing_.ordinal(serial);
                },
                .boot_id = options.boot_id},
               commit_hooks({loop, actions, fleet_, admission_, drive_, self_})),
      turn_(loop, publisher, commits_.journal()),
      probing_(loop, prober, fleet_, turn_, options.fd_limit),
      admission_(loop, options.max_concurrent_starts, options.starts_per_second,
                 [this](std::uint64_t serial) {
                   control_thread.assert_held();
                   feed(serial, Input::Kind::slot_expired);
                 }),
      listening_(loop, fleet_, turn_,
                 [this](ServiceState& service, health::Check& check, const health::ProbeResult& result) {
                   control_thread.assert_held();
                   on_settled_result(turn_, probing_, drive_, service, check, result);
                 },
                 [this](const ServiceState& service) {
                   control_thread.assert_held();
                   probing_.hurry(service);
                 }),
      evidence_(loop, fleet_, listening_.ports(),
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
      admin_({loop, fleet_, turn_, verbs_, drive_, commits_}),
      self_watch_(loop, self_, [this](bool up) {
        control_thread.assert_held();
        on_link_changed(fleet_, drive_, up);
      }),
      reports_(fleet_, turn_, probing_, drive_, self_watch_) {
  prober.set_sink([this](const std::vector<health::ProbeResult>& results) {
    control_thread.assert_held();
    on_check_results(turn_, probing_, listening_.ownership(), drive_, results);
  });
  actions.set_listener(&reports_, &reports_);
}

// The order is: views and pools, events, records, answers, sends.
void Core::end_turn() {
  control_thread.assert_held();
  drive_.run_to_fixpoint();
  run_staged(fleet_, turn_, verbs_, drive_);
  stop_next(fleet_, turn_, shutdown_, drive_);
  if (fleet_.running()) admit();
  self_watch_.on_stalls(probing_.stalls());
  emit_self(turn_, self_);
  wake(waiters_, turn_.dirty());
  turn_.publish({.running = fleet_.running(), .healthy = fleet_.healthy(), .unhealthy = fleet_.unhealthy(),
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

void Core::restore(StoredFleet fleet) {
  control_thread.assert_held();
  const bool rebooted = fleet.heads.boot_id != commits_.journal().boot_id();
  on_restore({fleet_, turn_, probing_, admission_, waiters_, drive_}, verbs_, commits_.journal(), std::move(fleet), rebooted);
  admin_.restored();
}

Result<void> Core::start() {
  control_thread.assert_held();
  if (shutdown_.is_last()) return closed_meanwhile();
  start_all(fleet_, turn_, shutdown_, drive_);
  return {};
}

void Core::stop(SteadyTime deadline, Shutdown::Done done, StopScope scope) {
  control_thread.assert_held();
  stop_all(fleet_, turn_, probing_, verbs_, shutdown_, drive_, std::min(deadline, stop_limit(fleet_, turn_.now().steady)),
           scope, std::move(done));
}

void Core::close(SteadyTime deadline, Shutdown::Done done, StopScope scope) {
  control_thread.assert_held();
  shutdown_.make_last();
  stop(deadline, std::move(done), scope);
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
  Result<std::vector<SpecPtr>> specs = specs_of(fleet_, std::move(requests));
  if (!specs) return std::move(specs).error();
  return register_many(std::move(specs).value(), "rest");
}

Result<bool> Core::unregister(std::string_view name, EventActor actor) {
  control_thread.assert_held();
  if (const Error* trouble = commits_.trouble()) return *trouble;
  const Turn::ActingFor acting(turn_, actor);
  return on_unregister({fleet_, turn_, probing_, admission_, waiters_, drive_}, name);
}

Result<VerbAnswer> Core::command(Verb verb, std::string_view id, bool dependents, bool dependencies, EventActor actor) {
  control_thread.assert_held();
  if (const Error* trouble = commits_.trouble()) return *trouble;
  const Turn::ActingFor acting(turn_, actor);
  return on_command(fleet_, turn_, verbs_, drive_,
                    {.verb = verb, .name = id, .dependents = dependents, .dependencies = dependencies});
}

void Core::answer_waiters() {
  const auto look = [this](const std::string& name, SteadyTime horizon) {
    control_thread.assert_held();
    std::vector<Waiters::Seen> seen;
    fleet_.for_each_of(name, [&](const ServiceState& service) AZORA_CONTROL {
      seen.push_back(seen_of(fleet_, service, verbs_.contains(service.serial), horizon));
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
  end_stop(turn_, shutdown_, fleet_.living_ids(shutdown_.scope()));
}

void Core::set_usage(std::string_view id, std::uint64_t incarnation, double cpu_percent, std::int64_t rss_bytes) {
  control_thread.assert_held();
  on_usage(fleet_, turn_, id, incarnation, cpu_percent, rss_bytes);
}

WhySources Core::why_sources() const {
  return {.keeper_trouble = self_.reason(Part::keeper),
          .start_waits_since = [this](std::uint64_t serial) { return commits_.start_waits_since(serial); }};
}

CoreCounts Core::counts() const {
  return counts_of(turn_.counts(), probing_.counts(), reports_.dropped_lines(), figures_written());
}

std::vector<std::string> Core::violations() const {
  control_thread.assert_held();
  std::vector<std::string> found = orchestrator::violations(fleet_);
  for (std::string& one : commits_.journal().violations()) found.push_back(std::move(one));
  return found;
}

}  // namespace azora::orchestrator
