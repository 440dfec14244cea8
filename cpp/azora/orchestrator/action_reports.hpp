#pragma once
// What actions and the keeper report of runs, passed on to the reactions.
// Threads: the control thread; dropped_lines() any. Ownership: borrows the rooms, which outlive it. Fails: never.
#include <cstdint>
#include <string>

#include "azora/actions/action.hpp"
#include "azora/actions/process.hpp"
#include "azora/base/counter.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/drive.hpp"
#include "azora/orchestrator/self_watch.hpp"

namespace azora::orchestrator {

class ActionReports : public actions::ActionListener, public actions::ProcessListener {
 public:
  ActionReports(Fleet& fleet, Turn& turn, Probing& probing, Drive& drive, SelfWatch& self_watch)
      : fleet_(fleet), turn_(turn), probing_(probing), drive_(drive), self_watch_(self_watch) {}

  // Lines of output that were dropped, of all services.
  std::uint64_t dropped_lines() const { return dropped_lines_.value(); }

 private:
  void on_action_done(Run run, actions::ActionResult result) override;
  void on_action_warning(Run run, std::string reason) override;
  void on_action_exited(Run run, const ExitView& exit) override;
  void on_action_swept(Run run) override;
  void on_action_adopted(Run run, const actions::FoundRun& found) override;
  void on_action_lost(Run run, std::string reason) override;
  void on_output_dropped(std::uint64_t serial, std::uint64_t lines, const keeper::LogLoss& loss) override;
  void on_keeper_link(bool up, std::string reason) override;
  void on_unknown_process(const keeper::Record& record) override;

  void acknowledge(Run run) AZORA_CONTROL;

  Fleet& fleet_;
  Turn& turn_;
  Probing& probing_;
  Drive& drive_;
  SelfWatch& self_watch_;
  Counter dropped_lines_;
};

}  // namespace azora::orchestrator
