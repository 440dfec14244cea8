#include "azora/keeper/program/keeper_link.hpp"

#include <initializer_list>

#include "azora/keeper/program/keeper_tags.hpp"

namespace azora::keeper {

void OrchestratorLink::accept_candidate() {
  if (EpochLink::accept_candidate()) poll_.watch(candidate(), tag(Source::candidate));
}

bool OrchestratorLink::read_candidate() {
  if (!EpochLink::read_candidate()) return false;
  poll_.watch(fd(), tag(Source::link));
  waits_ = false;
  for (const Owed what : {Owed::list_end, Owed::pong}) owed_.remove(what);
  owe(Owed::hello);
  return true;
}

void OrchestratorLink::send_now(const std::uint8_t* frame, std::size_t size) {
  if (is_open()) send_frame(fd(), frame, size);
}

void OrchestratorLink::send_owed(FleetRecords& records) {
  if (!is_open()) return;
  std::uint8_t frame[kMaxSmallFrame];
  Sent sent = Sent::yes;
  const auto send = [&](Owed what, auto write) {
    if (sent != Sent::yes || !owed_.has(what)) return;
    sent = send_frame(fd(), frame, write());
    if (sent == Sent::yes) owed_.remove(what);
  };
  const auto alone = [&](FrameType type) {
    return [&, type] { return write_empty(frame, sizeof frame, type, 0, epoch()); };
  };
  send(Owed::hello, [&] { return write_hello(frame, sizeof frame, own_hello(), epoch()); });
  if (sent == Sent::yes && records.has_unsent()) {
    records.table().first([&](ShimEntry& entry) {
      if (!entry.unsent) return false;
      const FrameType type = type_of(entry.record.phase);
      sent = send_frame(fd(), frame, write_record(frame, sizeof frame, type, entry.record, 0, epoch()));
      if (sent == Sent::yes) records.sent(entry);
      return sent != Sent::yes;
    });
  }
  send(Owed::list_end, alone(FrameType::list_end));
  send(Owed::pong, alone(FrameType::pong));
  send(Owed::ended, alone(FrameType::ended));
  if (sent == Sent::broken) return close();
  const bool waits = sent == Sent::later;
  if (waits != waits_) poll_.watch(fd(), tag(Source::link), waits);
  waits_ = waits;
}

}  // namespace azora::keeper
