#include "azora/keeper/program/keeper_commands.hpp"

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/keeper_tags.hpp"
#include "azora/keeper/program/spawn_shim.hpp"

namespace azora::keeper {
namespace {

constexpr int kFramesPerTurn = 16;
constexpr std::uint64_t kSpareFiles = 32;  // beside one per shim

}  // namespace

void KeeperCommands::read() {
  orchestrator_.read_frames(kFramesPerTurn, [this](const Header& header, long size) { on_frame(header, size); });
}

void KeeperCommands::on_frame(const Header& header, long size) {
  const auto bytes = static_cast<std::size_t>(size);
  ServiceRef ref;
  StopOrder order;
  Record record;
  Text folder;
  switch (header.type) {
    case FrameType::launch: return on_launch(header, size);
    case FrameType::list:
      orchestrator_.owe(OrchestratorLink::Owed::list_end);
      return records_.all_changed();
    case FrameType::ping: return orchestrator_.owe(OrchestratorLink::Owed::pong);
    case FrameType::goodbye:
      end();
      return shims_.send_to_all(ToShim::goodbye);
    case FrameType::move:
      if (!read_folder(g_frame, bytes, &folder)) break;
      return on_move(folder);
    case FrameType::reclaim:
      if (!read_record(g_frame, bytes, &record) || record.serial == 0) break;
      return on_reclaim(record);
    case FrameType::stop:
      if (!read_stop(g_frame, bytes, &ref, &order)) break;
      return on_stop(ref, order);
    case FrameType::kill:
    case FrameType::ack:
    case FrameType::forget:
      if (!read_ref(g_frame, bytes, &ref)) break;
      return on_ref(header, ref);
    default: break;
  }
  orchestrator_.refuse(header, RefusalCode::malformed);
}

void KeeperCommands::on_launch(const Header& header, long size) {
  LaunchFrame frame;
  if (!read_launch(g_frame, static_cast<std::size_t>(size), &frame) || frame.serial == 0 ||
      frame.serial >> kSerialBits != 0) {
    return orchestrator_.refuse(header, RefusalCode::malformed);
  }
  const ServiceRef about{frame.serial, frame.incarnation};
  ShimEntry* entry = records_.table().find(frame.serial);
  if (entry != nullptr && entry->record.incarnation == frame.incarnation) return records_.changed(*entry);
  if (ending_) return orchestrator_.refuse(header, RefusalCode::ending, about);
  if (entry == nullptr) {
    const bool room = static_cast<std::uint64_t>(records_.table().count()) + kSpareFiles < file_limit();
    entry = room ? records_.table().add(frame.serial) : nullptr;
    if (entry == nullptr) return orchestrator_.refuse(header, RefusalCode::limit, about);
  }
  const Record& record = entry->record;
  if (frame.incarnation < record.incarnation) return orchestrator_.refuse(header, RefusalCode::stale, about);
  if (has_process(record.phase) || record.phase == Phase::unknown || entry->sweeping || entry->forgotten) {
    return orchestrator_.refuse(header, RefusalCode::busy, about);
  }
  shims_.launch(*entry, header, frame, size);
}

void KeeperCommands::on_ref(const Header& header, const ServiceRef& ref) {
  ShimEntry* entry = records_.table().find(ref.serial);
  if (header.type == FrameType::forget) {
    if (entry == nullptr) {
      remove_service_files(Path(ref.serial).c_str());
      return;
    }
    entry->forgotten = true;
    entry->to_send.set(ToShim::forget, entry->has_shim);
    if (!entry->has_shim && !entry->sweeping) return shims_.release(*entry);
    return shims_.send(*entry);
  }
  if (entry == nullptr || ref.incarnation != entry->record.incarnation) return;  // about a former incarnation
  if (header.type == FrameType::ack) {
    if (!is_over(entry->record.phase)) return;
    entry->record.phase = Phase::idle;
    if (!entry->has_shim) return shims_.release(*entry);
    entry->to_send.add(ToShim::ack);
  }
  if (!entry->has_shim) return;
  if (header.type == FrameType::kill) entry->to_send.add(ToShim::kill);
  shims_.send(*entry);
}

void KeeperCommands::on_stop(const ServiceRef& ref, const StopOrder& order) {
  ShimEntry* entry = records_.table().find(ref.serial);
  if (entry == nullptr || ref.incarnation != entry->record.incarnation || !entry->has_shim) return;
  entry->stop = order;
  entry->to_send.add(ToShim::stop);
  shims_.send(*entry);
}

// The orchestrator remembers a service whose shim died while no keeper was there to see it.
void KeeperCommands::on_reclaim(const Record& record) {
  ShimEntry* entry = records_.table().find(record.serial);
  if (entry != nullptr && (entry->has_shim || entry->sweeping || entry->record.incarnation != 0)) return records_.changed(*entry);
  if (entry == nullptr) entry = records_.table().add(record.serial);
  if (entry == nullptr) return;
  entry->record = record;
  if (shims_.attach(*entry)) {  // it lives after all
    entry->record.phase = Phase::unknown;
    return;
  }
  lost_.on_remembered(*entry);
}

// The runtime directory was removed: new shims start in the new one, and those there are go over to it.
void KeeperCommands::on_move(const Text& folder) {
  if (sys::change_dir(folder.data) < 0) return;
  shims_.send_to_all(ToShim::move);
}

}  // namespace azora::keeper
