#include "azora/actions/process.hpp"

#include "azora/keeper/launch_hash.hpp"

namespace azora::actions {

void ProcessAction::start(ActionRequest request) {
  const ServiceSpec& spec = *request.spec;
  keeper_.launch({.serial = request.run.serial,
                  .incarnation = request.run.incarnation,
                  .id = spec.id,
                  .port = spec.target.port,
                  .spec = *spec.process});
}

void ProcessAction::adopt(Run run, const ServiceSpec& spec) {
  adopting_[run.serial] = keeper::launch_hash(*spec.process, spec.target.port);
  keeper_.adopt(run.serial, run.incarnation, spec.id);
}

void ProcessAction::stop(Run run, const ServiceSpec& spec) {
  keeper_.stop(run.serial, run.incarnation, keeper::stop_order(*spec.process));
}

void ProcessAction::on_started(keeper::Serial serial, std::uint64_t incarnation, int pid, Now at) {
  listener_->on_action_done({serial, incarnation}, {.pid = pid, .started = at});
}

void ProcessAction::on_start_failed(keeper::Serial serial, std::uint64_t incarnation, std::string reason) {
  listener_->on_action_done({serial, incarnation}, {.ok = false, .reason = std::move(reason)});
}

void ProcessAction::on_exited(keeper::Serial serial, std::uint64_t incarnation, const keeper::Exit& exit) {
  listener_->on_action_exited({serial, incarnation},
                              {exit.code, exit.signal, exit.oom, exit.at, !exit.asked, exit.left_pid});
}

void ProcessAction::on_swept(keeper::Serial serial, std::uint64_t incarnation) {
  listener_->on_action_swept({serial, incarnation});
}

void ProcessAction::on_adopted(keeper::Serial serial, std::uint64_t incarnation, const keeper::Record& record) {
  FoundRun found;
  if (record.phase == keeper::Phase::running) {
    found.pid = record.pid;
    found.started = Now{SteadyTime(Nanos(record.started_steady_ns)), WallTime{record.started_wall_ms}};
  }
  const auto configured = adopting_.extract(serial);
  found.same_program = !configured || configured.mapped() == record.spec_hash;
  listener_->on_action_adopted({serial, incarnation}, found);
}

void ProcessAction::on_lost(keeper::Serial serial, std::uint64_t incarnation, std::string reason) {
  adopting_.erase(serial);
  listener_->on_action_lost({serial, incarnation}, std::move(reason));
}

void ProcessAction::on_warning(keeper::Serial serial, std::uint64_t incarnation, std::string reason) {
  listener_->on_action_warning({serial, incarnation}, std::move(reason));
}

void ProcessAction::on_log_dropped(keeper::Serial serial, std::uint64_t lines, const keeper::LogLoss& loss) {
  process_listener_->on_output_dropped(serial, lines, loss);
}

void ProcessAction::on_link(bool up, std::string reason) { process_listener_->on_keeper_link(up, std::move(reason)); }

void ProcessAction::on_unknown(const keeper::Record& record) { process_listener_->on_unknown_process(record); }

}  // namespace azora::actions
