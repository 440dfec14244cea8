#pragma once
// Judges what readers see: events, views, counts, versions and places in the pools tell one and the same.
// Threads: the test's. Ownership: borrows world and findings, which outlive it.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "sim/findings.hpp"
#include "support/world.hpp"

namespace azora::orchestrator {

inline bool is_status(EventType type) {
  return type == EventType::service_healthy || type == EventType::service_degraded || type == EventType::service_unhealthy;
}

class ReadsWatcher {
 public:
  ReadsWatcher(World& world, Findings& findings) : world_(world), findings_(findings), board_(world.recorder.board) {}

  void on_event(const Recorder::Seen& event);
  void on_publish();
  // After each turn.
  void check_turn();
  // It is registered, or to be again: what was told of another one says nothing of it.
  void added(const std::string& id) { told_.try_emplace(id); }
  void removed(const std::string& id) { told_.erase(id); }
  // The next orchestrator begins with what is stored, and tells it by its first publication.
  void life_ended() { board_.reset(); }
  void life_began();

 private:
  void check_visible_events();
  void check_board();

  World& world_;
  Findings& findings_;
  std::map<std::string, std::optional<HealthStatus>> told_;  // of each that is registered, by the last status event
  std::shared_ptr<const Board> board_;                       // as last published
  std::map<std::string, std::pair<HealthStatus, Lifecycle>> listed_;
  std::size_t visible_ = 0;                                  // events that readers had seen
};

}  // namespace azora::orchestrator
