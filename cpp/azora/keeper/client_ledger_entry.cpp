#include "azora/keeper/client_ledger_entry.hpp"

namespace azora::keeper {

Exit LedgerEntry::exit() const {
  Exit exit;
  if (record.exit_kind == ExitKind::code) exit.code = record.exit_value;
  if (record.exit_kind == ExitKind::signal) exit.signal = record.exit_value;
  if (record.oom != Oom::unknown) exit.oom = record.oom == Oom::yes;
  if (record.left_pid != 0) exit.left_pid = record.left_pid;
  exit.at = WallTime{record.exited_wall_ms};
  exit.asked = record.stop_asked;
  return exit;
}

std::vector<std::uint8_t> LedgerEntry::ref_frame(FrameType type, std::uint64_t epoch) const {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_ref(frame.data(), frame.size(), type, ref(), 0, epoch));
  return frame;
}

std::vector<std::uint8_t> LedgerEntry::stop_frame(std::uint64_t epoch) const {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_stop(frame.data(), frame.size(), ref(), stop_wanted.value_or(StopOrder{}), 0, epoch));
  return frame;
}

std::vector<std::uint8_t> LedgerEntry::reclaim_frame(std::uint64_t epoch) const {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  Record known = record;
  known.serial = launch.serial;
  known.incarnation = launch.incarnation;
  set_id(&known, {launch.id.data(), static_cast<std::uint32_t>(launch.id.size())});
  if (!has_record()) known.phase = Phase::launching;
  frame.resize(write_record(frame.data(), frame.size(), FrameType::reclaim, known, 0, epoch));
  return frame;
}

}  // namespace azora::keeper
