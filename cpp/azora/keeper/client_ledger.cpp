#include "azora/keeper/client_ledger.hpp"

#include <utility>

#include "azora/base/check.hpp"
#include "azora/keeper/start_failure.hpp"

namespace azora::keeper {
namespace {

Exit exit_of(const Record& record) {
  Exit exit;
  if (record.exit_kind == ExitKind::code) exit.code = record.exit_value;
  if (record.exit_kind == ExitKind::signal) exit.signal = record.exit_value;
  if (record.oom != Oom::unknown) exit.oom = record.oom == Oom::yes;
  exit.at = WallTime{record.exited_wall_ms};
  return exit;
}

bool is_known(const Record& record) { return record.phase != Phase::idle; }

}  // namespace

void Ledger::launch(LaunchRequest request) {
  const Serial serial = request.serial;
  Service& service = services_[serial];
  const bool unfinished = service.launch.incarnation != 0 && !service.over;
  AZORA_ASSERT(!unfinished && service.launch.incarnation < request.incarnation);
  if (unfinished) return refuse_launch(serial, request.incarnation, "its former incarnation is not over");
  // What is known of its shim, and its place in the queue, stay.
  service = Service{.launch = std::move(request),
                    .listed = service.listed,
                    .shim_silent = service.shim_silent,
                    .queued = service.queued};
  owe_launch(serial, service);
}

void Ledger::refuse_launch(Serial serial, std::uint64_t incarnation, std::string reason) {
  reports_.push_back({.kind = Report::Kind::start_failed, .serial = serial, .incarnation = incarnation, .reason = std::move(reason)});
  reports_.push_back({.kind = Report::Kind::swept, .serial = serial, .incarnation = incarnation});
}

void Ledger::stop(Serial serial, std::uint64_t incarnation, int signal) {
  Service* service = current(serial, incarnation);
  if (service == nullptr || service->told_exited) return;
  service->stop_wanted = signal;
  service->stop_owed = true;
  owe(serial, *service);
}

void Ledger::kill(Serial serial, std::uint64_t incarnation) {
  Service* service = current(serial, incarnation);
  if (service == nullptr) return;
  service->kill_wanted = true;
  service->kill_owed = true;
  owe(serial, *service);
}

void Ledger::kill_all() {
  for (const auto& [serial, service] : services_) kill(serial, service.launch.incarnation);
}

void Ledger::forget(Serial serial) {
  const auto found = services_.find(serial);
  if (found == services_.end()) return;
  if (found->second.launch_owed && !found->second.launch_sent) --unsent_launches_;
  // Should the link fail before it is sent: a listed record without a service is forgotten as well.
  forgotten_.push_back(serial);
  services_.erase(found);
}

void Ledger::on_record(const Record& record) {
  const auto found = services_.find(record.serial);
  if (found == services_.end()) {
    forgotten_.push_back(record.serial);
    return;
  }
  Service& service = found->second;
  service.listed = true;
  service.shim_silent = record.phase == Phase::unknown;
  if (service.shim_silent) return;
  owe(record.serial, service);  // something may have waited for the shim to speak
  if (record.phase == Phase::lost && record.incarnation == 0) {
    // Its shim died before it could say what it ran; we may know.
    service.reclaim_owed = !service.over && service.launch_sent;
    return;
  }
  if (record.phase == Phase::idle || record.incarnation != service.launch.incarnation) {
    if (record.incarnation < service.launch.incarnation && service.launch_unsure) owe_launch(record.serial, service);
    return;
  }
  service.launch_unsure = false;
  if (std::exchange(service.told_dropped, record.log_dropped) != record.log_dropped) {
    tell(Report::Kind::log_dropped, service);
    reports_.back().lines = record.log_dropped;
  }
  if (service.over) {
    service.ack_owed = is_over(record.phase);
    return;
  }
  service.record = record;
  switch (record.phase) {
    case Phase::idle:
    case Phase::unknown:
    case Phase::launching: return;
    case Phase::running: return tell_started(service);
    case Phase::exited: return tell_exited(service);
    case Phase::swept:
      tell_exited(service);
      tell(Report::Kind::swept, service);
      break;
    case Phase::start_failed: tell_failed(service, describe_start_failure(record, service.launch)); break;
    case Phase::lost: on_lost(service); break;
  }
  service.over = true;
  service.ack_owed = true;
}

void Ledger::on_lost(Service& service) {
  constexpr const char* kReason = "its shim was killed, and its processes with it; how the main process ended is not known";
  if (service.record.started_wall_ms != 0) tell_started(service);
  if (service.told_exited) {
    tell(Report::Kind::swept, service);
  } else if (service.told_started) {
    tell(Report::Kind::lost, service, kReason);
  } else {
    tell_failed(service, "its shim was killed before it had started");
  }
}

void Ledger::on_refused(const Refusal& refusal, std::uint64_t request) {
  if (refusal.type != FrameType::launch) return;  // what a stop or kill was for, records will tell
  const auto found = services_.find(refusal.serial);
  if (found == services_.end()) return;
  Service& service = found->second;
  // We number launches by their incarnation, so a refusal is of exactly one of them.
  if (request != service.launch.incarnation || service.over || is_known(service.record)) return;
  tell_failed(service, describe_refusal(refusal));
  service.over = true;
}

void Ledger::on_list_end() {
  for (auto& [serial, service] : services_) {
    if (service.over) continue;
    if (!is_known(service.record)) {
      // Without any answer to it, and with a shim that would have answered.
      if (service.launch_unsure && !service.listed) owe_launch(serial, service);
    } else if (!service.listed) {
      service.reclaim_owed = true;
    }
    service.stop_owed = service.stop_wanted != 0 && !service.told_exited;
    service.kill_owed = service.kill_wanted;
    owe(serial, service);
  }
}

void Ledger::on_link_down() {
  forgotten_.clear();
  for (auto& [serial, service] : services_) {
    service.listed = service.shim_silent = false;
    service.stop_owed = service.kill_owed = service.ack_owed = service.reclaim_owed = false;
    service.launch_unsure = service.launch_sent && !service.over && !is_known(service.record);
    if (service.launch_sent) service.launch_owed = false;
  }
}

void Ledger::fail_unsent(const std::string& reason) {
  if (unsent_launches_ == 0) return;
  for (auto& [serial, service] : services_) {
    if (!service.launch_owed || service.launch_sent) continue;
    service.launch_owed = false;
    tell_failed(service, reason);
    service.over = true;
  }
  unsent_launches_ = 0;
}

std::vector<std::uint8_t> Ledger::next_frame(std::uint64_t epoch) {
  if (!forgotten_.empty()) {
    std::vector<std::uint8_t> frame(kMaxSmallFrame);
    frame.resize(write_ref(frame.data(), frame.size(), FrameType::forget, {.serial = forgotten_.front()}, 0, epoch));
    forgotten_.pop_front();
    return frame;
  }
  while (!dirty_.empty()) {
    const auto found = services_.find(dirty_.front());
    if (found != services_.end()) {
      std::vector<std::uint8_t> frame = frame_of(found->second, epoch);
      if (!frame.empty()) return frame;
      found->second.queued = false;
    }
    dirty_.pop_front();
  }
  return {};
}

// One thing owed to the keeper about this service, in the order in which it makes sense.
std::vector<std::uint8_t> Ledger::frame_of(Service& service, std::uint64_t epoch) {
  if (service.shim_silent) return {};  // the keeper would not know what it is about; its record will bring us back
  if (std::exchange(service.ack_owed, false)) return ref_frame(FrameType::ack, service, 0, epoch);
  if (std::exchange(service.launch_owed, false)) {
    if (!service.launch_sent) --unsent_launches_;
    std::vector<std::uint8_t> frame = launch_frame(service.launch, service.launch.incarnation, epoch);
    if (!frame.empty()) {
      service.launch_sent = true;
      service.launch_unsure = false;
      return frame;
    }
    tell_failed(service, "process.argv and its environment together are larger than " + std::to_string(kMaxFrame) +
                             " bytes; pass what is large in a file");
    service.over = true;
  }
  if (service.over) return {};
  if (std::exchange(service.reclaim_owed, false)) {
    std::vector<std::uint8_t> frame(kMaxSmallFrame);
    Record record = service.record;
    record.serial = service.launch.serial;
    record.incarnation = service.launch.incarnation;
    if (!is_known(record)) record.phase = Phase::launching;
    frame.resize(write_record(frame.data(), frame.size(), FrameType::reclaim, record, 0, epoch));
    return frame;
  }
  if (std::exchange(service.stop_owed, false)) return ref_frame(FrameType::stop, service, service.stop_wanted, epoch);
  if (std::exchange(service.kill_owed, false)) return ref_frame(FrameType::kill, service, 0, epoch);
  return {};
}

std::vector<std::uint8_t> Ledger::ref_frame(FrameType type, const Service& service, int value, std::uint64_t epoch) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  const ServiceRef ref{service.launch.serial, service.launch.incarnation, value};
  frame.resize(write_ref(frame.data(), frame.size(), type, ref, 0, epoch));
  return frame;
}

Ledger::Service* Ledger::current(Serial serial, std::uint64_t incarnation) {
  const auto found = services_.find(serial);
  if (found == services_.end()) return nullptr;
  Service& service = found->second;
  return service.launch.incarnation == incarnation && !service.over ? &service : nullptr;
}

void Ledger::owe(Serial serial, Service& service) {
  if (std::exchange(service.queued, true)) return;
  dirty_.push_back(serial);
}

void Ledger::owe_launch(Serial serial, Service& service) {
  if (!service.launch_owed && !service.launch_sent) ++unsent_launches_;
  service.launch_owed = true;
  owe(serial, service);
}

void Ledger::tell(Report::Kind kind, const Service& service, std::string reason) {
  reports_.push_back({.kind = kind,
                      .serial = service.launch.serial,
                      .incarnation = service.launch.incarnation,
                      .reason = std::move(reason)});
}

void Ledger::tell_started(Service& service) {
  if (std::exchange(service.told_started, true)) return;
  tell(Report::Kind::started, service);
  reports_.back().pid = service.record.pid;
  reports_.back().at = Now{SteadyTime(Nanos(service.record.started_steady_ns)), WallTime{service.record.started_wall_ms}};
}

void Ledger::tell_exited(Service& service) {
  tell_started(service);
  if (std::exchange(service.told_exited, true)) return;
  tell(Report::Kind::exited, service);
  reports_.back().exit = exit_of(service.record);
}

void Ledger::tell_failed(Service& service, std::string reason) {
  tell(Report::Kind::start_failed, service, std::move(reason));
  tell(Report::Kind::swept, service);
}

}  // namespace azora::keeper
