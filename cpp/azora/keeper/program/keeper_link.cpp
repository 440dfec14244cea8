// What the orchestrator sends to the keeper and is sent. One connection at a time; a later one that proves
// its epoch replaces it.
#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/keeper_process.hpp"
#include "azora/keeper/program/keeper_tags.hpp"
#include "azora/keeper/program/spawn_shim.hpp"

namespace azora::keeper {
namespace {

constexpr int kFramesPerTurn = 16;
constexpr std::uint64_t kSpareFiles = 32;  // beside one per shim

}  // namespace

void KeeperProcess::accept_candidate() {
  const int fd = accept_own(kListenerFd);
  if (fd < 0) return;
  if (candidate_ >= 0) sys::close(candidate_);
  candidate_ = fd;
  watch(candidate_, tag(Source::candidate));
}

void KeeperProcess::read_candidate() {
  if (candidate_ < 0) return;
  const long size = receive_frame(candidate_, g_frame, sizeof g_frame);
  if (size == kNothing) return;
  Header header;
  Hello hello;
  bool welcome = size != kEnded && read_header(g_frame, static_cast<std::size_t>(size), &header) &&
                 header.type == FrameType::hello && read_hello(g_frame, static_cast<std::size_t>(size), &hello);
  if (welcome && common_version(hello) == 0) {
    refuse(candidate_, header, RefusalCode::version);
    welcome = false;
  }
  if (welcome && !is_same_boot(hello, own_hello())) {
    refuse(candidate_, header, RefusalCode::other_boot);
    welcome = false;
  }
  if (welcome && is_fenced(candidate_, header)) welcome = false;
  if (!welcome) {
    sys::close(candidate_);
    candidate_ = -1;
    return;
  }
  close_link();
  link_ = candidate_;
  candidate_ = -1;
  watch(link_, tag(Source::link));
  hello_pending_ = true;
  if (!attached_) attach_existing();  // not before we know the epoch that shims ask for
  attached_ = true;
}

void KeeperProcess::read_link() {
  for (int i = 0; i < kFramesPerTurn && link_ >= 0; ++i) {
    const long size = receive_frame(link_, g_frame, sizeof g_frame);
    if (size == kNothing) return;
    if (size == kEnded) return close_link();
    Header header;
    if (!read_header(g_frame, static_cast<std::size_t>(size), &header)) {
      refuse(link_, header, RefusalCode::malformed);
    } else if (!is_fenced(link_, header)) {
      on_frame(header, size);
    }
    forget_frame(size);
  }
}

bool KeeperProcess::is_fenced(int fd, const Header& header) {
  if (header.epoch < epoch_) {
    refuse(fd, header, RefusalCode::fenced);
    return true;
  }
  epoch_ = header.epoch;
  return false;
}

void KeeperProcess::on_frame(const Header& header, long size) {
  const auto bytes = static_cast<std::size_t>(size);
  ServiceRef ref;
  StopOrder order;
  Record record;
  Text folder;
  switch (header.type) {
    case FrameType::launch: return on_launch(header, size);
    case FrameType::list:
      list_pending_ = true;
      return shims_.for_each([this](ShimEntry& entry) { changed(entry); });
    case FrameType::ping:
      pong_pending_ = true;
      return;
    case FrameType::goodbye:
      ending_ = true;
      return shims_.for_each([this](ShimEntry& entry) {
        entry.to_send.set(ToShim::goodbye, entry.has_shim);
        send_to_shim(entry);
      });
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
  refuse(link_, header, RefusalCode::malformed);
}

void KeeperProcess::on_launch(const Header& header, long size) {
  LaunchFrame frame;
  if (!read_launch(g_frame, static_cast<std::size_t>(size), &frame) || frame.serial == 0 ||
      frame.serial >> kSerialBits != 0) {
    return refuse(link_, header, RefusalCode::malformed);
  }
  const ServiceRef about{frame.serial, frame.incarnation};
  ShimEntry* entry = shims_.find(frame.serial);
  if (entry != nullptr && entry->record.incarnation == frame.incarnation) return changed(*entry);
  if (ending_) return refuse(link_, header, RefusalCode::ending, about);
  if (entry == nullptr) {
    const bool room = static_cast<std::uint64_t>(shims_.count()) + kSpareFiles < file_limit();
    entry = room ? shims_.add(frame.serial) : nullptr;
    if (entry == nullptr) return refuse(link_, header, RefusalCode::limit, about);
  }
  const Record& record = entry->record;
  if (frame.incarnation < record.incarnation) return refuse(link_, header, RefusalCode::stale, about);
  if (has_process(record.phase) || record.phase == Phase::unknown || entry->sweeping || entry->forgotten) {
    return refuse(link_, header, RefusalCode::busy, about);
  }
  launch(*entry, header, frame, size);
}

void KeeperProcess::on_ref(const Header& header, const ServiceRef& ref) {
  ShimEntry* entry = shims_.find(ref.serial);
  if (header.type == FrameType::forget) {
    if (entry == nullptr) {
      remove_service_files(Path(ref.serial).c_str());
      return;
    }
    entry->forgotten = true;
    entry->to_send.set(ToShim::forget, entry->has_shim);
    if (!entry->has_shim && !entry->sweeping) return release(*entry);
    return send_to_shim(*entry);
  }
  if (entry == nullptr || ref.incarnation != entry->record.incarnation) return;  // about a former incarnation
  if (header.type == FrameType::ack) {
    if (!is_over(entry->record.phase)) return;
    entry->record.phase = Phase::idle;
    if (!entry->has_shim) return release(*entry);
    entry->to_send.add(ToShim::ack);
  }
  if (!entry->has_shim) return;
  if (header.type == FrameType::kill) entry->to_send.add(ToShim::kill);
  send_to_shim(*entry);
}

void KeeperProcess::on_stop(const ServiceRef& ref, const StopOrder& order) {
  ShimEntry* entry = shims_.find(ref.serial);
  if (entry == nullptr || ref.incarnation != entry->record.incarnation || !entry->has_shim) return;
  entry->stop = order;
  entry->to_send.add(ToShim::stop);
  send_to_shim(*entry);
}

// The orchestrator remembers a service whose shim died while no keeper was there to see it.
void KeeperProcess::on_reclaim(const Record& record) {
  ShimEntry* entry = shims_.find(record.serial);
  if (entry != nullptr && (entry->has_shim || entry->sweeping || entry->record.incarnation != 0)) return changed(*entry);
  if (entry == nullptr) entry = shims_.add(record.serial);
  if (entry == nullptr) return;
  entry->record = record;
  if (attach(*entry)) {  // it lives after all
    entry->record.phase = Phase::unknown;
    return;
  }
  entry->sweeping = true;
  entry->foreign_orphans = true;
  sweep_lost();
}

void KeeperProcess::refuse(int fd, const Header& header, RefusalCode code, const ServiceRef& about) {
  std::uint8_t frame[kMaxSmallFrame];
  const std::uint64_t detail = code == RefusalCode::fenced    ? epoch_
                               : code == RefusalCode::version ? kNewestProtocol
                                                              : 0;
  const Refusal refusal{about.serial, about.incarnation, code, header.type, detail};
  send_frame(fd, frame, write_refusal(frame, sizeof frame, refusal, header.request, epoch_));
}

// The runtime directory was removed: new shims start in the new one, and those there are go over to it.
void KeeperProcess::on_move(const Text& folder) {
  if (sys::change_dir(folder.data) < 0) return;
  shims_.for_each([this](ShimEntry& entry) {
    entry.to_send.set(ToShim::move, entry.has_shim);
    send_to_shim(entry);
  });
}

// What cannot be sent now is sent when there is room; nothing queues up, the records only get newer.
void KeeperProcess::send_to_orchestrator() {
  if (link_ < 0) return;
  std::uint8_t frame[kMaxSmallFrame];
  Sent sent = Sent::yes;
  const auto send = [&](bool* pending, std::size_t size) {
    sent = send_frame(link_, frame, size);
    if (sent == Sent::yes) *pending = false;
  };
  if (hello_pending_) send(&hello_pending_, write_hello(frame, sizeof frame, own_hello(), epoch_));
  if (sent == Sent::yes && unsent_ > 0) {
    shims_.first([&](ShimEntry& entry) {
      if (!entry.unsent) return false;
      const FrameType type = type_of(entry.record.phase);
      send(&entry.unsent, write_record(frame, sizeof frame, type, entry.record, 0, epoch_));
      unsent_ -= sent == Sent::yes ? 1 : 0;
      return sent != Sent::yes;
    });
  }
  if (sent == Sent::yes && list_pending_) {
    send(&list_pending_, write_empty(frame, sizeof frame, FrameType::list_end, 0, epoch_));
  }
  if (sent == Sent::yes && pong_pending_) {
    send(&pong_pending_, write_empty(frame, sizeof frame, FrameType::pong, 0, epoch_));
  }
  if (sent == Sent::yes && ended_pending_) {
    send(&ended_pending_, write_empty(frame, sizeof frame, FrameType::ended, 0, epoch_));
  }
  if (sent == Sent::broken) return close_link();
  const bool waits = sent == Sent::later;
  if (waits != link_waits_) watch(link_, tag(Source::link), waits);
  link_waits_ = waits;
}

void KeeperProcess::close_link() {
  if (link_ >= 0) sys::close(link_);
  link_ = -1;
  link_waits_ = false;
  hello_pending_ = false;
  list_pending_ = false;
  pong_pending_ = false;
}

}  // namespace azora::keeper
