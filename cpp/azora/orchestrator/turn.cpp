#include "azora/orchestrator/turn.hpp"

#include <exception>
#include <utility>

#include "azora/base/check.hpp"

namespace azora::orchestrator {
namespace {

// Null if there is nothing to report about healing.
Boxed<HealingView> healing_of(const ServiceState& service) {
  const healing::Machine& machine = service.machine;
  HealingView healing;
  if (machine.episode.cause != healing::Cause::none) healing.cause = wire_name(machine.episode.cause);
  healing.attempts = machine.budget.attempts;
  healing.failing = machine.episode.failing;
  healing.permit_asked = machine.holds.permit_request;
  healing.action_running = machine.action_running;
  healing.held_back = service.held_back;
  healing.next_attempt = machine.timers.next_attempt;
  healing.blocked_by = service.blocked_by;
  if (service.own) healing.action_error = service.own->action_error;
  if (service.own) healing.warning = service.own->warning;
  if (healing == HealingView{}) return {};
  return healing;
}

ViewPtr view_of(const ServiceState& service) {
  auto view = std::make_shared<ServiceView>();
  view->spec = service.spec;
  view->serial = service.serial;
  view->order = service.order;
  view->incarnation = service.machine.incarnation;
  view->generation = service.generation;
  view->status = service.status;
  view->lifecycle = service.machine.lifecycle;
  view->desired = service.wanted;
  view->restart_required = service.restart_required;
  view->restart_count = service.machine.restart_count;
  view->start_time = service.start_time;
  view->record = service.figures;
  view->healing = healing_of(service);
  view->owner = service.owner;
  if (service.spec->action->tells_exits) {
    const OwnFacts& own = *service.own;
    view->process = ProcessView{own.pid, own.process_started, own.last_exit, own.log_dropped, own.log_loss};
  }
  return view;
}

}  // namespace

void Turn::mark_dirty(ServiceState& service) {
  if (service.dirty || service.leaving) return;
  service.dirty = true;
  dirty_.push_back(&service);
}

void Turn::remove_view(const std::string& id, std::uint64_t order) {
  board_.by_id = board_.by_id.erase(id);
  board_.in_order = board_.in_order.erase(order);
  ended_.note(order, nullptr, false);
  unverified_.note(order, nullptr, false);
  membership_changed();
}

void Turn::publish_lists() {
  const bool ended = ended_.take(board_.ended);
  const bool unverified = unverified_.take(board_.unverified);
  if (ended || unverified) ++board_.list_version;
}

void Turn::membership_changed() {
  ++board_.topology;
  board_changed();
}

void Turn::show_brakes(std::vector<healing::KillPermits::Braking> brakes) {
  if (board_.brakes ? *board_.brakes == brakes : brakes.empty()) return;
  board_.brakes = brakes.empty() ? nullptr : std::make_shared<const std::vector<healing::KillPermits::Braking>>(std::move(brakes));
  board_changed_ = true;
}

void Turn::show_entry(const registry::Entry& entry) {
  if (entry.spec->replicas == 1) return hide_entry(entry.spec->id);
  auto shown = std::make_shared<EntryOnBoard>();
  shown->spec = entry.spec;
  for (const registry::Instance& one : entry.instances) shown->services.push_back(one.spec->id);
  auto entries = board_.entries.edit();
  entries.set(std::move(shown));
  board_.entries = entries.done();
  membership_changed();
}

void Turn::hide_entry(const std::string& id) {
  if (!board_.entries.contains(id)) return;
  board_.entries = board_.entries.erase(id);
  membership_changed();
}

void Turn::board_changed() {
  board_changed_ = true;
  ++board_.list_version;
}

void Turn::emit(EventType type, const ServiceState& service, EventCause cause,
                std::unique_ptr<const EventDetail> detail) {
  Event event = event_of(type, service, cause);
  event.detail = std::move(detail);
  publisher_.append(std::move(event));
}

Event Turn::event_of(EventType type, const ServiceState& service, EventCause cause) const {
  Event event;
  event.time = now().wall;
  event.type = type;
  event.service_id = service.id;
  event.incarnation = service.machine.incarnation;
  event.cause = cause;
  event.actor = actor_;
  return event;
}

void Turn::publish(const Summary& summary) {
  counts_.turns.add();
  // The last process of a service that was unregistered may end in a turn in which no view changes.
  if (dirty_.empty() && !board_changed_ && board_.alive == summary.alive) {
    publisher_.publish(nullptr);
    return;
  }
  auto by_id = board_.by_id.edit();
  auto in_order = board_.in_order.edit();
  ++board_.version;
  std::uint64_t built = 0;
  for (ServiceState* service : dirty_) {
    service->dirty = false;
    if (service->leaving) continue;
    service->figures->set_error_count(service->error_count());  // this count starts again at each registration or start
    const ViewPtr view = view_of(*service);
    ++built;
    by_id.set(view);
    in_order.set(service->order, view);
    ended_.note(service->order, view, view->is_ended());
    unverified_.note(service->order, view, service->is_unverified());
  }
  if (!dirty_.empty()) counts_.turn_views.set(built);
  counts_.views_built.add(built);
  dirty_.clear();
  publish_lists();
  board_.by_id = by_id.done();
  board_.in_order = in_order.done();
  board_.running = summary.running;
  board_.healthy = summary.healthy;
  board_.unhealthy = summary.unhealthy;
  board_.alive = summary.alive;
  board_changed_ = false;
  publisher_.publish(std::make_shared<const Board>(board_));
}

}  // namespace azora::orchestrator
