#include "sim/reads_watcher.hpp"

#include <vector>

namespace azora::orchestrator {
namespace {

HealthStatus status_of(EventType type) {
  return type == EventType::service_healthy    ? HealthStatus::healthy
         : type == EventType::service_degraded ? HealthStatus::degraded
                                               : HealthStatus::unhealthy;
}

}  // namespace

void ReadsWatcher::on_event(const Recorder::Seen& event) {
  const auto told = told_.find(event.id);
  if (is_status(event.type) && told != told_.end()) told->second = status_of(event.type);
}

void ReadsWatcher::life_began() {
  for (auto& one : told_) one.second.reset();
  world_.recorder.board->in_order.for_each([this](const ViewPtr& view) {
    std::optional<HealthStatus>& told = told_[view->spec->id];
    if (view->status != HealthStatus::unknown) told = view->status;
  });
}

void ReadsWatcher::on_publish() {
  check_visible_events();
  const auto& board = world_.recorder.board;
  if (board == board_ || !board) return;
  check_board();
  board_ = board;
}

// Whoever reads an event reads a state that contains it.
void ReadsWatcher::check_visible_events() {
  for (; visible_ < world_.recorder.events.size(); ++visible_) {
    const Recorder::Seen& event = world_.recorder.events[visible_];
    const auto told = told_.find(event.id);
    if (!is_status(event.type) || told == told_.end()) continue;
    const ViewPtr view = world_.view(event.id);
    if (view && view->status != HealthStatus::unknown && view->status != told->second) {
      findings_.found("order of a turn", event.id, std::string(wire_name(event.type)) + " is read before the state it tells of");
    }
  }
}

// Counts and versions against the views they are about.
void ReadsWatcher::check_board() {
  const Board& board = *world_.recorder.board;
  std::size_t healthy = 0;
  std::size_t unhealthy = 0;
  std::map<std::string, std::pair<HealthStatus, Lifecycle>> listed;
  std::vector<ViewPtr> ended;
  board.in_order.for_each([&](const ViewPtr& view) {
    healthy += view->status == HealthStatus::healthy ? 1U : 0U;
    unhealthy += view->status == HealthStatus::unhealthy ? 1U : 0U;
    listed.emplace(view->spec->id, std::pair(view->status, view->lifecycle));
    const ViewPtr* same = board.by_id.find(view->spec->id);
    if (same == nullptr || *same != view) findings_.found("one board", view->spec->id, "two views of one service");
    if (view->is_ended()) ended.push_back(view);
  });
  if (ended != (board.ended ? *board.ended : std::vector<ViewPtr>())) {
    findings_.found("board counts", "", "those that ended are others");
  }
  if (healthy != board.healthy || unhealthy != board.unhealthy) {
    findings_.found("board counts", "", "healthy or unhealthy miscounted");
  }
  if (board.by_id.size() != listed.size() || board.in_order.size() != listed.size()) {
    findings_.found("one board", "", "sizes differ");
  }
  if (board_ && listed != listed_ && board.list_version == board_->list_version) {
    findings_.found("list version", "", "a list changed under the same version");
  }
  listed_ = std::move(listed);
}

void ReadsWatcher::check_turn() {
  world_.recorder.board->in_order.for_each([&](const ViewPtr& view) {
    const std::string& id = view->spec->id;
    const auto told = told_.find(id);
    if (view->status != HealthStatus::unknown && (told == told_.end() || told->second != view->status)) {
      findings_.found("told what is", id, "is " + std::string(wire_name(view->status)) + ", which no event told");
    }
    const auto tier = world_.recorder.tiers.find(view->serial);
    if (!view->spec->endpoint) return;
    // What others run is judged by its own answers, also while it is being restarted.
    // What the last orchestrator saw healthy is so until its first check.
    const bool up = !view->spec->action->owned() || view->lifecycle == Lifecycle::ready || view->lifecycle == Lifecycle::adopt;
    const Tier right = !up || !world_.core.running() || view->owner                ? Tier::excluded
                       : view->status == HealthStatus::healthy  ? Tier::healthy
                       : view->status == HealthStatus::degraded ? Tier::degraded
                                                                : Tier::excluded;
    if (tier == world_.recorder.tiers.end() || tier->second != right) {
      findings_.found("rotation", id, "its place in the pools is not that of a service that is " +
                                          std::string(wire_name(view->lifecycle)) + " and " + std::string(wire_name(view->status)));
    }
  });
}

}  // namespace azora::orchestrator
