#include "azora/keeper/client_ledger.hpp"

#include "azora/base/check.hpp"
#include "azora/keeper/frame_fields.hpp"
#include "azora/keeper/start_failure.hpp"

namespace azora::keeper {
namespace {

bool has_started(Phase phase) { return phase == Phase::running || phase == Phase::exited || phase == Phase::swept; }

std::vector<std::uint8_t> forget_frame(Serial serial, std::uint64_t epoch) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_ref(frame.data(), frame.size(), FrameType::forget, {.serial = serial}, 0, epoch));
  return frame;
}

}  // namespace

void Ledger::launch(LaunchRequest request) {
  const Serial serial = request.serial;
  Service& service = services_[serial];
  const bool unfinished = service.launch.incarnation != 0 && !service.has_ended();
  AZORA_ASSERT(!unfinished && service.launch.incarnation < request.incarnation);
  if (unfinished) return refuse_launch(serial, request.incarnation, "its previous incarnation has not ended");
  // What is known of its shim, and its place in the queue, stay.
  Service next{.launch = std::move(request)};
  if (const auto found = unknown_.extract(serial)) {
    service.facts.add(Fact::listed);
    service.facts.set(Fact::shim_silent, found.mapped().phase == Phase::unknown);
  }
  for (const Fact fact : {Fact::listed, Fact::shim_silent, Fact::queued}) next.facts.set(fact, service.facts.has(fact));
  service = std::move(next);
  queue_launch(service);
}

void Ledger::refuse_launch(Serial serial, std::uint64_t incarnation, std::string reason) {
  reports_.refused(serial, incarnation, std::move(reason));
}

void Ledger::adopt(Serial serial, std::uint64_t incarnation, std::string id) {
  Service& service = services_[serial];
  const bool unfinished = service.launch.incarnation != 0 && !service.has_ended();
  AZORA_ASSERT(!unfinished);
  if (unfinished) return;
  service = Service{.launch = {.serial = serial, .incarnation = incarnation, .id = std::move(id)}};
  service.facts.add(Fact::launch_sent);
  service.facts.add(Fact::adopting);
  ++adoptions_;
  if (const auto found = unknown_.extract(serial)) return on_record_of(service, found.mapped());
  if (listed_) queue(service, Owed::reclaim);
}

void Ledger::acknowledge(Serial serial, std::uint64_t incarnation) {
  const auto found = services_.find(serial);
  if (found == services_.end()) return;
  Service& service = found->second;
  if (service.launch.incarnation != incarnation || !service.has_ended()) return;
  service.facts.add(Fact::acknowledged);
  if (is_over(service.record.phase)) queue(service, Owed::ack);
}

void Ledger::stop(Serial serial, std::uint64_t incarnation, const StopOrder& order) {
  Service* service = current(serial, incarnation);
  if (service == nullptr) return;
  // When the main process has ended by itself, the shim stops what is left without an order; only an order that extends
  // a former one has to be sent.
  if (service->reported.has(Reported::exited) && !service->stop_wanted) return;
  service->stop_wanted = order;
  queue(*service, Owed::stop);
}

void Ledger::kill(Serial serial, std::uint64_t incarnation) {
  Service* service = current(serial, incarnation);
  if (service == nullptr) return;
  service->facts.add(Fact::kill_wanted);
  queue(*service, Owed::kill);
}

void Ledger::kill_all() {
  for (const auto& [serial, service] : services_) kill(serial, service.launch.incarnation);
}

void Ledger::forget(Serial serial) {
  const auto found = services_.find(serial);
  if (found != services_.end()) {
    const Service& service = found->second;
    if (service.owed.has(Owed::launch) && !service.facts.has(Fact::launch_sent)) --unsent_launches_;
    if (service.facts.has(Fact::adopting)) --adoptions_;
    services_.erase(found);
  } else if (unknown_.erase(serial) == 0) {
    return;
  }
  // If the link fails before FORGET is sent, the record of the service is listed again, as an unknown one.
  forgotten_.push_back(serial);
}

void Ledger::on_record(const Record& record) {
  const auto found = services_.find(record.serial);
  if (found == services_.end()) return on_unknown(record);
  on_record_of(found->second, record);
}

void Ledger::on_unknown(const Record& record) {
  unknown_[record.serial] = record;
  if (record.phase != Phase::unknown) reports_.of_record(Report::Kind::unknown, record);
}

void Ledger::on_record_of(Service& service, const Record& record) {
  service.facts.add(Fact::listed);
  service.facts.set(Fact::shim_silent, record.phase == Phase::unknown);
  if (service.facts.has(Fact::shim_silent)) return;
  queue(service);  // something may have waited for the first record of the shim
  if (record.phase == Phase::lost && record.incarnation == 0) {
    // Its shim died before it could say what it ran; we may know.
    service.owed.set(Owed::reclaim, !service.has_ended() && service.facts.has(Fact::launch_sent));
    return;
  }
  if (record.phase == Phase::idle || record.incarnation != service.launch.incarnation) {
    return on_other_incarnation(service, record);
  }
  service.facts.remove(Fact::launch_unsure);
  if (service.facts.take(Fact::adopting)) {
    --adoptions_;
    if (record.phase != Phase::lost) reports_.of_record(Report::Kind::adopted, record);
    service.reported.set(Reported::started, has_started(record.phase) || record.phase == Phase::lost);
  }
  reports_.log_dropped(service, record);
  if (service.has_ended()) {
    service.owed.set(Owed::ack, service.facts.has(Fact::acknowledged) && is_over(record.phase));
    return;
  }
  service.record = record;
  reports_.on_phase(service);
}

void Ledger::on_other_incarnation(Service& service, const Record& record) {
  if (service.facts.has(Fact::launch_unsure) && record.incarnation < service.launch.incarnation) queue_launch(service);
  if (!service.facts.has(Fact::adopting)) return;
  --adoptions_;
  if (has_process(record.phase)) {  // another incarnation than was meant: we must not take it over
    const Record other = record;
    services_.erase(record.serial);
    return on_unknown(other);
  }
  service.facts.remove(Fact::adopting);
  const bool never = record.incarnation < service.launch.incarnation;
  reports_.lost(service, never ? "it was never started" : "it has ended, and that was acknowledged before");
}

void Ledger::on_refused(const Refusal& refusal, std::uint64_t request) {
  if (refusal.type != FrameType::launch) return;  // records will show what a stop or kill has done
  // We number launches by their incarnation, so a refusal is of exactly one of them.
  Service* service = current(refusal.serial, request);
  if (service == nullptr || service->has_record()) return;
  reports_.failed(*service, describe_refusal(refusal));
}

void Ledger::on_too_large(const std::vector<std::uint8_t>& frame) {
  Header header;
  if (!read_header(frame.data(), frame.size(), &header) || header.type != FrameType::launch) return;
  Reader fields(frame.data() + kHeaderSize, frame.size() - kHeaderSize);
  Service* service = current(fields.u64(), header.request);
  if (service == nullptr) return;
  reports_.failed(*service, describe_refusal({.code = RefusalCode::too_large, .type = FrameType::launch}));
}

void Ledger::on_list_end() {
  listed_ = true;
  for (auto& [serial, service] : services_) {
    if (service.has_ended()) continue;
    const bool listed = service.facts.has(Fact::listed);
    if (service.has_record() || service.facts.has(Fact::adopting)) {
      service.owed.set(Owed::reclaim, service.owed.has(Owed::reclaim) || !listed);
    } else if (service.facts.has(Fact::launch_unsure) && !listed) {
      queue_launch(service);  // no answer to it came, and there is no shim that could have answered
    }
    service.owed.set(Owed::stop, service.stop_wanted && !service.reported.has(Reported::exited));
    service.owed.set(Owed::kill, service.facts.has(Fact::kill_wanted));
    queue(service);
  }
}

void Ledger::on_link_down() {
  listed_ = false;
  forgotten_.clear();
  unknown_.clear();
  for (auto& [serial, service] : services_) {
    const bool sent = service.facts.has(Fact::launch_sent);
    const bool launch_owed = service.owed.has(Owed::launch) && !sent;
    service.owed.clear();
    service.owed.set(Owed::launch, launch_owed);
    service.facts.remove(Fact::listed);
    service.facts.remove(Fact::shim_silent);
    service.facts.set(Fact::launch_unsure, sent && !service.has_ended() && !service.has_record() &&
                                               !service.facts.has(Fact::adopting));
  }
}

void Ledger::fail_unsent(const std::string& reason) {
  if (unsent_launches_ == 0) return;
  for (auto& [serial, service] : services_) {
    if (service.facts.has(Fact::launch_sent) || !service.owed.take(Owed::launch)) continue;
    reports_.failed(service, reason);
  }
  unsent_launches_ = 0;
}

std::vector<std::uint8_t> Ledger::next_frame(std::uint64_t epoch) {
  if (!forgotten_.empty()) {
    std::vector<std::uint8_t> frame = forget_frame(forgotten_.front(), epoch);
    forgotten_.pop_front();
    return frame;
  }
  while (!queue_.empty()) {
    const auto found = services_.find(queue_.front());
    if (found != services_.end()) {
      std::vector<std::uint8_t> frame = frame_of(found->second, epoch);
      if (!frame.empty()) return frame;
      found->second.facts.remove(Fact::queued);
    }
    queue_.pop_front();
  }
  return {};
}

// Returns the next frame that is owed to the keeper about this service.
std::vector<std::uint8_t> Ledger::frame_of(Service& service, std::uint64_t epoch) {
  if (service.facts.has(Fact::shim_silent)) return {};  // its next record queues the service again
  if (service.owed.take(Owed::ack)) return service.ref_frame(FrameType::ack, epoch);
  if (service.owed.take(Owed::launch)) {
    std::vector<std::uint8_t> frame = launch_frame_of(service, epoch);
    if (!frame.empty()) return frame;
  }
  if (service.has_ended()) return {};
  if (service.owed.take(Owed::reclaim)) return service.reclaim_frame(epoch);
  if (service.owed.take(Owed::stop) && service.stop_wanted) return service.stop_frame(epoch);
  if (service.owed.take(Owed::kill)) return service.ref_frame(FrameType::kill, epoch);
  return {};
}

std::vector<std::uint8_t> Ledger::launch_frame_of(Service& service, std::uint64_t epoch) {
  if (!service.facts.has(Fact::launch_sent)) --unsent_launches_;
  std::vector<std::uint8_t> frame = launch_frame(service.launch, service.launch.incarnation, epoch);
  if (frame.empty()) {
    reports_.failed(service, "process.argv and its environment together are larger than " + std::to_string(kMaxFrame) +
                               " bytes; pass large data in a file");
    return frame;
  }
  service.facts.add(Fact::launch_sent);
  service.facts.remove(Fact::launch_unsure);
  return frame;
}

Ledger::Service* Ledger::current(Serial serial, std::uint64_t incarnation) {
  const auto found = services_.find(serial);
  if (found == services_.end()) return nullptr;
  Service& service = found->second;
  return service.launch.incarnation == incarnation && !service.has_ended() ? &service : nullptr;
}

void Ledger::queue(Service& service, Owed what) {
  service.owed.add(what);
  queue(service);
}

void Ledger::queue(Service& service) {
  if (service.facts.has(Fact::queued)) return;
  service.facts.add(Fact::queued);
  queue_.push_back(service.launch.serial);
}

void Ledger::queue_launch(Service& service) {
  if (!service.owed.has(Owed::launch) && !service.facts.has(Fact::launch_sent)) ++unsent_launches_;
  queue(service, Owed::launch);
}

}  // namespace azora::keeper
