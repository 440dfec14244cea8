// The facade: each call is one line to the runtime or one read of the board.
#include "azora/orchestrator/orchestrator.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "azora/orchestrator/facade_words.hpp"
#include "azora/orchestrator/local_names.hpp"
#include "azora/orchestrator/reads/ended.hpp"
#include "azora/orchestrator/reads/entry.hpp"
#include "azora/orchestrator/reads/why.hpp"
#include "azora/orchestrator/runtime.hpp"

namespace azora::orchestrator {

Orchestrator::Orchestrator(Options options) {
  const ThreadRole::Scope alone(control_thread);  // the control thread does not run yet
  impl_ = std::make_unique<Impl>(std::move(options));
}
Orchestrator::~Orchestrator() = default;

Result<void> Orchestrator::open() { return impl_->open(); }
Result<void> Orchestrator::leave() { return impl_->leave(); }
Result<void> Orchestrator::start() { return impl_->start(); }
Result<std::vector<std::string>> Orchestrator::stop(Millis deadline, bool for_good) {
  return impl_->stop(deadline, for_good);
}
void Orchestrator::close(Millis deadline) { impl_->close(deadline); }

Result<std::uint64_t> Orchestrator::register_many(std::vector<SpecPtr> specs, std::string_view actor, Apply apply) {
  registry::LocalNames names = local_names(specs);
  return impl_->change<Result<std::uint64_t>>(
      [specs = std::move(specs), actor = actor_of(actor), apply, names = std::move(names)](Core& core) mutable {
        core.know(names);
        return core.register_many(std::move(specs), actor, apply);
      });
}

Result<void> Orchestrator::set_own_address(std::string_view host, std::uint16_t port) {
  return impl_->read<Result<void>>([host = std::string(host), port](Core& core) { return core.set_own_address(host, port); });
}

Result<std::uint64_t> Orchestrator::register_requests(const std::vector<std::string>& texts) {
  Result<std::vector<Request>> requests = impl_->read_requests(texts);
  if (!requests) return std::move(requests).error();
  registry::LocalNames names = local_names(requests.value());
  return impl_->change<Result<std::uint64_t>>([requests = std::move(requests).value(), names = std::move(names)](Core& core) mutable {
    core.know(names);
    return core.register_requests(std::move(requests));
  });
}

void Orchestrator::register_requests(const std::vector<std::string>& texts,
                                     std::function<void(const Result<std::uint64_t>&)> done) {
  Result<std::vector<Request>> requests = impl_->read_requests(texts);
  if (!requests) return done(std::move(requests).error());
  registry::LocalNames names = local_names(requests.value());
  impl_->change_then<Result<std::uint64_t>>(
      [requests = std::move(requests).value(), names = std::move(names)](Core& core) mutable {
        core.know(names);
        return core.register_requests(std::move(requests));
      },
      std::move(done));
}

Result<bool> Orchestrator::unregister(std::string_view id, std::string_view actor) {
  return impl_->change<Result<bool>>(
      [id = std::string(id), actor = actor_of(actor)](Core& core) { return core.unregister(id, actor); });
}

Result<VerbAnswer> Orchestrator::command(Verb verb, std::string_view id, bool dependents, bool dependencies,
                                         std::string_view actor) {
  return impl_->change<Result<VerbAnswer>>(
      [verb, id = std::string(id), dependents, dependencies, actor = actor_of(actor)](Core& core) {
        return core.command(verb, id, dependents, dependencies, actor);
      });
}

Result<VerbAnswer> Orchestrator::drain(std::string_view id, const DrainWish& wish, std::string_view actor) {
  return impl_->admin([id = std::string(id), wish, actor = actor_of(actor)](AdminWatch& admin) {
    return admin.drain(id, wish, actor);
  });
}
Result<VerbAnswer> Orchestrator::undrain(std::string_view id, std::string_view actor) {
  return impl_->admin([id = std::string(id), actor = actor_of(actor)](AdminWatch& admin) { return admin.undrain(id, actor); });
}
Result<VerbAnswer> Orchestrator::maintain(std::string_view id, const MaintenanceWish& wish, std::string_view actor) {
  return impl_->admin([id = std::string(id), wish, actor = actor_of(actor)](AdminWatch& admin) {
    return admin.maintain(id, wish, actor);
  });
}
Result<VerbAnswer> Orchestrator::end_maintenance(std::string_view id, std::string_view actor) {
  return impl_->admin([id = std::string(id), actor = actor_of(actor)](AdminWatch& admin) { return admin.end_maintenance(id, actor); });
}

Result<void> Orchestrator::wait_for(std::string_view id, std::string_view what, Millis timeout, Millis horizon) {
  const Result<Goal> goal = goal_of(what);
  if (!goal) return goal.error();
  return impl_->await<Result<void>>(
      [id = std::string(id), goal = goal.value(), timeout, horizon](Core& core, const auto& promise) {
        const SteadyTime now = AsioLoop::steady_now();
        core.wait_for(id, goal, now + timeout, [promise](Result<void> answer) { promise->keep(std::move(answer)); },
                      now + horizon);
      });
}

std::function<void()> Orchestrator::wait_for(std::string_view id, std::string_view what, Millis timeout, Millis horizon,
                                             std::function<void(const Result<void>&)> done) {
  const Result<Goal> goal = goal_of(what);
  if (!goal) {
    done(goal.error());
    return [] {};
  }
  const auto key = std::make_shared<std::uint64_t>(0);  // the control thread's
  impl_->await_then<Result<void>>(
      [id = std::string(id), goal = goal.value(), timeout, horizon, key](Core& core, const auto& promise) {
        const SteadyTime now = AsioLoop::steady_now();
        *key = core.wait_for(id, goal, now + timeout, [promise](Result<void> answer) { promise->keep(std::move(answer)); },
                             now + horizon);
      },
      std::move(done));
  return [this, key] { impl_->post([key](Core& core) { core.cancel_wait(*key); }); };
}

void Orchestrator::stop(Millis deadline, std::function<void(const Result<std::vector<std::string>>&)> done) {
  impl_->await_then<Result<std::vector<std::string>>>(
      [deadline](Core& core, const auto& promise) {
        core.stop(AsioLoop::steady_now() + deadline, [promise](const std::vector<std::string>& left) { promise->keep(left); });
      },
      std::move(done));
}

Result<void> Orchestrator::configure_pool(std::string_view name, const balancer::PoolChange& change) {
  return impl_->read<Result<void>>([this, name = std::string(name), change](Core&) {
    return impl_->balancer().pools().configure(name, change);
  });
}

std::optional<actions::ActionRequest> Orchestrator::next_action(Millis timeout) { return impl_->callables().next(timeout); }

void Orchestrator::action_done(actions::Run run, actions::ActionResult result) {
  impl_->post([this, run, result = std::move(result)](Core&) mutable { impl_->callables().done(run, std::move(result)); });
}

void Orchestrator::handler_failed(std::string reason) {
  impl_->post([reason = std::move(reason)](Core& core) { core.handler_failed(reason); });
}

ViewPtr Orchestrator::find(std::string_view id) const {
  impl_->looked();
  return view_of(*impl_->board(), id);
}

std::vector<ViewPtr> Orchestrator::list() const {
  impl_->looked();
  const std::shared_ptr<const Board> board = impl_->board();
  std::vector<ViewPtr> views;
  views.reserve(board->in_order.size());
  board->in_order.for_each([&](const ViewPtr& view) { views.push_back(view); });
  return views;
}

std::vector<ViewPtr> Orchestrator::by_type(std::string_view type) const {
  std::vector<ViewPtr> views = list();
  std::erase_if(views, [&](const ViewPtr& view) { return view->spec->type != type; });
  return views;
}

Totals Orchestrator::totals() const {
  const std::uint64_t seq = impl_->seq();  // before the board, which reflects at least this
  const std::shared_ptr<const Board> board = impl_->board();
  return {board->running, board->in_order.size(), board->healthy, board->unhealthy, seq};
}

std::vector<std::pair<std::string, std::string>> Orchestrator::ended() const {
  return ended_services(*impl_->board());
}

std::vector<std::string> Orchestrator::unverified() const {
  const std::shared_ptr<const Board> board = impl_->board();
  std::vector<std::string> ids;
  if (board->unverified) {
    for (const ViewPtr& view : *board->unverified) ids.push_back(view->spec->id);
  }
  return ids;
}

std::shared_ptr<const std::string> Orchestrator::status_json(bool detailed) const {
  return impl_->lists().status(impl_->moment(), detailed);
}

std::shared_ptr<const std::string> Orchestrator::services_json(const std::optional<std::string>& type) const {
  return type ? impl_->lists().of_type(impl_->moment(), *type) : impl_->lists().services(impl_->moment());
}

Result<std::string> Orchestrator::why_json(std::string_view id) const {
  return orchestrator::why_json(*impl_->board(), id, {AsioLoop::steady_now(), AsioLoop::wall_now()}, impl_->why_sources());
}

Result<std::string> Orchestrator::dependencies_json(std::string_view id) const {
  return impl_->graph().dependencies(*impl_->board(), id);
}

std::shared_ptr<const std::string> Orchestrator::graph_json() const { return impl_->graph().graph(impl_->moment()); }

std::string Orchestrator::trouble() { return impl_->trouble(); }
std::string Orchestrator::metrics_text() const { return impl_->metrics_text(); }
Result<std::string> Orchestrator::logs(std::string_view id, const LogOptions& options) {
  Result<std::unique_ptr<LogStream>> stream = follow_logs(id, options);
  if (!stream) return std::move(stream).error();
  return stream.value()->next();
}
Result<std::unique_ptr<LogStream>> Orchestrator::follow_logs(std::string_view id, const LogOptions& options) {
  return impl_->follow_logs(id, options);
}
Result<store::HistoryPage> Orchestrator::history(const store::HistoryQuery& query) { return impl_->history(query); }
balancer::Balancer& Orchestrator::balancer() { return impl_->balancer(); }
events::EventLog& Orchestrator::events() { return impl_->events(); }
std::uint64_t Orchestrator::seq() const { return impl_->seq(); }

}  // namespace azora::orchestrator
