#pragma once
// The facade of the whole product: owns the threads, the control core and the published state.
// Threads: every method any thread; methods that wait say so. start() and stop() may be called again.
// Ownership: the destructor stops what runs. Fails: by Result; never throws on purpose.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/balancer/types.hpp"
#include "azora/base/result.hpp"
#include "azora/base/time.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/model/view.hpp"
#include "azora/orchestrator/facade_types.hpp"

namespace azora::actions {
struct ActionRequest;
struct ActionResult;
struct Run;
}
namespace azora::balancer {
class Balancer;
}
namespace azora::events {
class EventLog;
}
namespace azora::store {
struct HistoryPage;
struct HistoryQuery;
}

namespace azora::orchestrator {

class LogStream;
struct LogOptions;  // log_stream.hpp

class Orchestrator {
 public:
  explicit Orchestrator(Options options);
  ~Orchestrator();
  Orchestrator(const Orchestrator&) = delete;
  Orchestrator& operator=(const Orchestrator&) = delete;

  // Makes the threads and takes back what the state directory holds; every other call does it, too. Fails with
  // storage_failed if that directory is damaged, of a newer version or used by another orchestrator, which is named.
  Result<void> open();
  // Begins to probe services and brings up those that are wanted up. Idempotent.
  Result<void> start();
  // Ends probing and stops process services in reverse order. Answers the ids of those that did not stop by `deadline`.
  // `for_good`: close() comes next, so with a state directory services with orphanPolicy keep go on.
  Result<std::vector<std::string>> stop(Millis deadline, bool for_good = false);
  // Ends every thread and the keeper. Implies stop() for good. Idempotent.
  void close(Millis deadline);
  // The same for a durable fleet, but its services go on, for the next orchestrator with that state directory. Fails
  // with invalid_argument for a fleet without one.
  Result<void> leave();

  // All or nothing: one fault refuses the batch. Answers the seq that reflects it.
  Result<std::uint64_t> register_many(std::vector<SpecPtr> specs, std::string_view actor,
                                      Apply apply = Apply::at_next_start);
  // The address on which the server in front of this orchestrator listens: no service may listen or be checked there,
  // even if it is registered already. A port of 0, or a host that is not local, sets no such rule.
  Result<void> set_own_address(std::string_view host, std::uint16_t port);
  // Registers what requests ask for, all or nothing; each request is one JSON text (request.hpp). Faults of several
  // begin with "services[i].". The second form does not wait: `done` is called once. It is called on the control
  // thread, or on the caller's thread if the texts are refused while they are read or the orchestrator is closed.
  Result<std::uint64_t> register_requests(const std::vector<std::string>& texts);
  void register_requests(const std::vector<std::string>& texts, std::function<void(const Result<std::uint64_t>&)> done);
  // Unregisters all services of an entry, or the service with that id. False: nothing has that name.
  Result<bool> unregister(std::string_view id, std::string_view actor);
  Result<VerbAnswer> command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                             std::string_view actor);
  // Takes a service, or all instances of an entry, out of rotation, and waits for its leases (admin_watch.hpp). Undoing
  // a drain that is not there is no error: then `affected` is empty.
  Result<VerbAnswer> drain(std::string_view id, const DrainWish& wish, std::string_view actor);
  Result<VerbAnswer> undrain(std::string_view id, std::string_view actor);
  // Checks the service, but neither picks nor starts nor stops it, until that is ended or its time is over.
  Result<VerbAnswer> maintain(std::string_view id, const MaintenanceWish& wish, std::string_view actor);
  Result<VerbAnswer> end_maintenance(std::string_view id, std::string_view actor);
  // Waits until the service is READY and healthy or degraded, or has ended as a job should ("ready"), has no process
  // ("stopped") or has no drain under way ("drained"). Fails with not_coming as soon as it is known not to be ready
  // within `horizon`. A caller that waits in slices gives all its remaining time as `horizon`; it is never shorter than
  // `timeout`.
  Result<void> wait_for(std::string_view id, std::string_view what, Millis timeout, Millis horizon = Millis(0));
  // wait_for() and stop() without waiting: `done` is called once, on the control thread, or on the caller's thread if
  // the call is refused at once. wait_for() returns what cancels the wait: then `done` may be called with an error, at
  // the latest when the orchestrator is closed.
  std::function<void()> wait_for(std::string_view id, std::string_view what, Millis timeout, Millis horizon,
                                 std::function<void(const Result<void>&)> done);
  void stop(Millis deadline, std::function<void(const Result<std::vector<std::string>>&)> done);
  Result<void> configure_pool(std::string_view name, const balancer::PoolChange& change);
  // The next restart callable to run, at most one per service at a time; nullopt: none came within `timeout`, or
  // the orchestrator was closed.
  std::optional<actions::ActionRequest> next_action(Millis timeout);
  // The result of a restart callable. It is ignored if its registration or incarnation is not the current one any more.
  void action_done(actions::Run run, actions::ActionResult result);
  // A user's event handler failed. This becomes a callbackFailed event.
  void handler_failed(std::string reason);

  // The service of that id, or the entry of that name as one service; null: there is none.
  ViewPtr find(std::string_view id) const;
  std::vector<ViewPtr> list() const;                        // registration order
  std::vector<ViewPtr> by_type(std::string_view type) const;
  Totals totals() const;
  // Services that ended by themselves although they are wanted up and have an endpoint: id, and a line that says why.
  std::vector<std::pair<std::string, std::string>> ended() const;
  // Ids of services whose listener the kernel could not name (R52).
  std::vector<std::string> unverified() const;

  // Complete answers as compact JSON. They are made on the caller's thread and never visit the control thread. All
  // callers who ask for the same large answer share it.
  std::shared_ptr<const std::string> status_json(bool detailed) const;
  std::shared_ptr<const std::string> services_json(const std::optional<std::string>& type) const;
  Result<std::string> why_json(std::string_view id) const;
  Result<std::string> dependencies_json(std::string_view id) const;
  std::shared_ptr<const std::string> graph_json() const;
  std::string metrics_text() const;
  // What is wrong with the orchestrator itself, in one line; empty: nothing.
  std::string trouble();
  // The last lines of a process service's output as they are now; a stream also has what follows. The stream borrows
  // this object and must not outlive it.
  Result<std::string> logs(std::string_view id, const LogOptions& options);
  Result<std::unique_ptr<LogStream>> follow_logs(std::string_view id, const LogOptions& options);

  // Past events, oldest first: of this fleet since its beginning, within the bounds of `Options`, or without a state
  // directory those in the log of events. Single health checks only if they are asked for: the last ones of this run.
  Result<store::HistoryPage> history(const store::HistoryQuery& query);
  balancer::Balancer& balancer();
  events::EventLog& events();
  std::uint64_t seq() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azora::orchestrator
