#include "azora/orchestrator/action_reports.hpp"

#include <utility>

#include "azora/orchestrator/reactions/on_action.hpp"
#include "azora/orchestrator/reactions/on_process.hpp"
#include "azora/orchestrator/reactions/on_restore.hpp"

namespace azora::orchestrator {

void ActionReports::on_action_done(Run run, actions::ActionResult result) {
  control_thread.assert_held();
  orchestrator::on_action_done(fleet_, turn_, probing_, drive_, run, std::move(result));
}

void ActionReports::on_action_warning(Run run, std::string reason) {
  control_thread.assert_held();
  orchestrator::on_action_warning(fleet_, run, std::move(reason));
}

void ActionReports::on_action_exited(Run run, const ExitView& exit) {
  control_thread.assert_held();
  orchestrator::on_action_exited(fleet_, turn_, drive_, run, exit);
}

void ActionReports::on_action_swept(Run run) {
  control_thread.assert_held();
  acknowledge(run);
  orchestrator::on_action_swept(fleet_, drive_, run);
}

void ActionReports::on_action_adopted(Run run, const actions::FoundRun& found) {
  control_thread.assert_held();
  orchestrator::on_action_adopted(fleet_, turn_, probing_, run, found);
}

void ActionReports::on_action_lost(Run run, std::string reason) {
  control_thread.assert_held();
  acknowledge(run);
  orchestrator::on_action_lost(fleet_, turn_, drive_, run, std::move(reason));
}

// When a service has left, the command to forget it also removes its record.
void ActionReports::acknowledge(Run run) {
  if (const ServiceState* service = fleet_.by_serial(run.serial)) {
    turn_.send(Send::to_acknowledge(run, service->spec->action));
  }
}

void ActionReports::on_output_dropped(std::uint64_t serial, std::uint64_t lines, const keeper::LogLoss& loss) {
  control_thread.assert_held();
  dropped_lines_.add(orchestrator::on_output_dropped(fleet_, turn_, serial, lines, loss));
}

void ActionReports::on_keeper_link(bool up, std::string reason) { self_watch_.on_link(up, std::move(reason)); }

// We started every shim of this fleet. So a shim that holds none of our services has missed its command to forget.
void ActionReports::on_unknown_process(const keeper::Record& record) {
  control_thread.assert_held();
  const Run run{record.serial, record.incarnation};
  const ServiceState* service = fleet_.by_serial(record.serial);
  // Its end is not known either where the store has not learned of the run. The next run must not be taken for it.
  const bool unheard = service != nullptr && run.incarnation > service->machine.incarnation;
  if ((keeper::has_process(record.phase) || unheard) && on_newer_run(fleet_, turn_, drive_, run)) return;
  if (service == nullptr) turn_.send(Send::to_forget(record.serial, &kProcessAction));
}

}  // namespace azora::orchestrator
