#include "azora/keeper/program/shim_commands.hpp"

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/own_folder.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

constexpr int kFramesPerTurn = 8;

}  // namespace

void ShimCommands::read() {
  keeper_.read_frames(kFramesPerTurn, [this](const Header& header, long size) { on_frame(header, size); });
}

void ShimCommands::end() {
  if (end_.begin()) incarnation_.end();
}

void ShimCommands::on_frame(const Header& header, long size) {
  const auto bytes = static_cast<std::size_t>(size);
  ServiceRef ref;
  StopOrder order;
  Text folder;
  switch (header.type) {
    case FrameType::launch: return on_launch(header, size);
    case FrameType::list:
      keeper_.owe(KeeperLink::Owed::list_end);
      return keeper_.owe(KeeperLink::Owed::record);
    case FrameType::goodbye: return end();
    case FrameType::move:
      if (!read_folder(g_frame, bytes, &folder)) break;
      return on_move(folder);
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
  keeper_.refuse(header, RefusalCode::malformed);
}

void ShimCommands::on_launch(const Header& header, long size) {
  LaunchFrame frame;
  if (!read_launch(g_frame, static_cast<std::size_t>(size), &frame)) {
    return keeper_.refuse(header, RefusalCode::malformed);
  }
  const Record& record = incarnation_.record();
  const std::uint64_t incarnation = frame.incarnation;
  const ServiceRef about{record.serial, incarnation};
  if (incarnation == record.incarnation) return keeper_.owe(KeeperLink::Owed::record);  // sent again over a new link
  if (end_.has_begun()) return keeper_.refuse(header, RefusalCode::ending, about);
  if (incarnation < record.incarnation) return keeper_.refuse(header, RefusalCode::stale, about);
  if (incarnation_.has_process()) return keeper_.refuse(header, RefusalCode::busy, about);
  incarnation_.launch(frame);
}

void ShimCommands::on_ref(const Header& header, const ServiceRef& ref) {
  if (header.type == FrameType::forget) {
    end_.forget();
    return end();
  }
  if (ref.incarnation != incarnation_.record().incarnation) return;  // about a former one
  if (header.type == FrameType::ack) return incarnation_.acknowledge();
  incarnation_.kill();
}

void ShimCommands::on_stop(const ServiceRef& ref, const StopOrder& order) {
  if (ref.incarnation == incarnation_.record().incarnation) incarnation_.stop(order);
}

// The runtime directory was removed: a place of ours in the new one, where the next keeper finds us.
void ShimCommands::on_move(const Text& folder) {
  if (enter_own_folder(Path(folder.data, "/", incarnation_.record().serial).c_str())) output_.move();
}

}  // namespace azora::keeper
