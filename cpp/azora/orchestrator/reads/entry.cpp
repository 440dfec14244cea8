#include "azora/orchestrator/reads/entry.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace azora::orchestrator {
namespace {

// The lifecycles that need the most attention come first.
constexpr std::array kByAttention = {
    Lifecycle::failed,   Lifecycle::stuck,    Lifecycle::killing, Lifecycle::stopping, Lifecycle::sweep,
    Lifecycle::backoff,  Lifecycle::blocked,  Lifecycle::starting, Lifecycle::adopt,   Lifecycle::ready,
    Lifecycle::watching, Lifecycle::done,     Lifecycle::idle};

Desired desired_of(const std::vector<ViewPtr>& views) {
  const auto wanted = [&](Desired desired) {
    return std::any_of(views.begin(), views.end(), [&](const ViewPtr& view) { return view->desired == desired; });
  };
  if (wanted(Desired::up)) return Desired::up;
  return wanted(Desired::hold) ? Desired::hold : Desired::down;
}

Figures figures_of(const std::vector<ViewPtr>& views) {
  Figures all;
  bool first = true;
  for (const ViewPtr& view : views) {
    const Figures one = view->figures();
    all.last_check.ms = std::max(all.last_check.ms, one.last_check.ms);
    all.uptime_ms = first ? one.uptime_ms : std::min(all.uptime_ms, one.uptime_ms);
    all.response_ms = std::max(all.response_ms, one.response_ms);
    all.error_count += one.error_count;
    if (!all.remarks && !one.last_error().empty()) {
      auto remarks = std::make_shared<Remarks>();
      remarks->last_error = view->spec->id + ": " + one.last_error();
      all.remarks = std::move(remarks);
    }
    first = false;
  }
  return all;
}

// What its owner asked for all instances; null: nothing.
Boxed<OwnerState> owner_of(const std::vector<ViewPtr>& views) {
  if (views.empty()) return {};
  const auto all = [&](const auto& has) { return std::all_of(views.begin(), views.end(), has); };
  const auto drained = [](const ViewPtr& view) { return view->owner && view->owner->drain; };
  const auto maintained = [](const ViewPtr& view) { return view->owner && view->owner->maintenance; };
  OwnerState owner;
  if (all(drained)) {
    owner.drain = views.front()->owner->drain;
    for (const ViewPtr& view : views) {
      if (!view->owner->drain->done) owner.drain = view->owner->drain;
    }
  }
  if (all(maintained)) owner.maintenance = views.front()->owner->maintenance;
  if (owner.empty()) return {};
  return owner;
}

ViewPtr entry_view(const EntryOnBoard& entry, const std::vector<ViewPtr>& views) {
  auto whole = std::make_shared<ServiceView>();
  whole->spec = entry.spec;
  whole->status = status_of(views);
  whole->lifecycle = lifecycle_of(views);
  whole->desired = desired_of(views);
  whole->owner = owner_of(views);
  for (const ViewPtr& view : views) {
    whole->incarnation = std::max(whole->incarnation, view->incarnation);
    whole->generation = std::max(whole->generation, view->generation);
    whole->restart_required = whole->restart_required || view->restart_required;
    whole->restart_count += view->restart_count;
    whole->start_time.ms = std::max(whole->start_time.ms, view->start_time.ms);
  }
  whole->instances = InstancesView{entry.services, ready_of(views), figures_of(views)};
  return whole;
}

}  // namespace

bool is_ready(const ServiceView& view) {
  const bool answers = view.status == HealthStatus::healthy || view.status == HealthStatus::degraded;
  return answers && (view.lifecycle == Lifecycle::ready || view.lifecycle == Lifecycle::watching);
}

std::size_t ready_of(const std::vector<ViewPtr>& views) {
  return static_cast<std::size_t>(
      std::count_if(views.begin(), views.end(), [](const ViewPtr& view) { return is_ready(*view); }));
}

HealthStatus status_of(const std::vector<ViewPtr>& views) {
  const auto count = [&](HealthStatus status) {
    return static_cast<std::size_t>(
        std::count_if(views.begin(), views.end(), [&](const ViewPtr& view) { return view->status == status; }));
  };
  const std::size_t healthy = count(HealthStatus::healthy);
  if (healthy == views.size() && healthy > 0) return HealthStatus::healthy;
  if (healthy > 0 || count(HealthStatus::degraded) > 0) return HealthStatus::degraded;
  return count(HealthStatus::unhealthy) > 0 ? HealthStatus::unhealthy : HealthStatus::unknown;
}

Lifecycle lifecycle_of(const std::vector<ViewPtr>& views) {
  for (const Lifecycle lifecycle : kByAttention) {
    const auto has_it = [&](const ViewPtr& view) { return view->lifecycle == lifecycle; };
    if (std::any_of(views.begin(), views.end(), has_it)) return lifecycle;
  }
  return Lifecycle::idle;
}

ViewPtr view_of(const Board& board, std::string_view name) {
  if (const ViewPtr* view = board.by_id.find(name)) return *view;
  const EntryOnBoardPtr* entry = board.entries.find(name);
  return entry == nullptr ? nullptr : entry_view(**entry, board.services(name));
}

}  // namespace azora::orchestrator
