#include "azora/orchestrator/turn.hpp"

#include <utility>

namespace azora::orchestrator {
namespace {

ViewPtr view_of(const ServiceState& service, std::uint64_t seq) {
  auto view = std::make_shared<ServiceView>();
  view->spec = service.spec;
  view->serial = service.serial;
  view->order = service.order;
  view->incarnation = service.machine.incarnation;
  view->generation = service.generation;
  view->seq = seq;
  view->status = service.status;
  view->lifecycle = service.machine.lifecycle;
  view->desired = service.wanted;
  view->restart_required = service.restart_required;
  view->last_check = service.last_check;
  view->start_time = service.start_time;
  view->uptime_ms = service.uptime_ms;
  view->response_ms = service.response_ms;
  view->restart_count = service.machine.restart_count;
  view->error_count = static_cast<std::int64_t>(service.tracker.error_count());
  view->remarks = service.remarks;
  if (service.process()) {
    const OwnFacts& own = *service.own;
    view->process = ProcessView{own.pid, own.process_started, own.cpu_percent, own.rss_bytes, own.last_exit, own.log_dropped};
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
  board_changed();
}

void Turn::board_changed() {
  board_changed_ = true;
  ++board_.list_version;
}

void Turn::emit(EventType type, const ServiceState& service, std::string_view cause,
                std::unique_ptr<const EventDetail> detail) {
  Event event = event_of(type, service, cause);
  event.detail = std::move(detail);
  publisher_.append(std::move(event));
}

Event Turn::event_of(EventType type, const ServiceState& service, std::string_view cause) const {
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
  ++counts_.turns;
  if (dirty_.empty() && !board_changed_ && publisher_.head() == board_.seq) {
    publisher_.publish(nullptr);
    return;
  }
  auto by_id = board_.by_id.edit();
  auto in_order = board_.in_order.edit();
  board_.seq = publisher_.head();
  std::uint64_t built = 0;
  for (ServiceState* service : dirty_) {
    service->dirty = false;
    if (service->leaving) continue;
    const ViewPtr view = view_of(*service, board_.seq);
    ++built;
    by_id.set(view);
    in_order.set(service->order, view);
  }
  if (!dirty_.empty()) counts_.turn_views = built;
  counts_.views_built += built;
  dirty_.clear();
  board_.by_id = by_id.done();
  board_.in_order = in_order.done();
  board_.running = summary.running;
  board_.healthy = summary.healthy;
  board_.unhealthy = summary.unhealthy;
  board_changed_ = false;
  publisher_.publish(std::make_shared<const Board>(board_));
}

void Turn::complete() {
  for (const Answer& answer : std::exchange(answers_, {})) answer();
  for (Send& send : std::exchange(sends_, {})) deliver_(send);
}

}  // namespace azora::orchestrator
