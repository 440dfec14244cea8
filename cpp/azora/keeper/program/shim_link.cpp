#include "azora/keeper/program/shim_link.hpp"

namespace azora::keeper {

void KeeperLink::read_candidate() {
  if (!EpochLink::read_candidate()) return;
  owe(Owed::hello);
  owe(Owed::record);
}

void KeeperLink::send_owed(const Record& record) {
  if (!is_open()) return;
  std::uint8_t frame[kMaxSmallFrame];
  Sent sent = Sent::yes;
  const auto send = [&](Owed what, auto write) {
    if (sent != Sent::yes || !owed_.has(what)) return;
    sent = send_frame(fd(), frame, write());
    if (sent == Sent::yes) owed_.remove(what);
  };
  send(Owed::hello, [&] { return write_hello(frame, sizeof frame, own_hello(), epoch()); });
  send(Owed::record, [&] { return write_record(frame, sizeof frame, type_of(record.phase), record, 0, epoch()); });
  send(Owed::list_end, [&] { return write_empty(frame, sizeof frame, FrameType::list_end, 0, epoch()); });
}

}  // namespace azora::keeper
