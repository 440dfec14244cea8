// The keeper's side of the links to its shims.
#include <errno.h>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/keeper_process.hpp"
#include "azora/keeper/program/keeper_tags.hpp"
#include "azora/keeper/program/shim_birth.hpp"

namespace azora::keeper {
namespace {

constexpr int kFramesPerTurn = 8;

// About the incarnation that a new one follows.
void owe_nothing(ShimEntry& entry) {
  entry.owes_ack = false;
  entry.owes_kill = false;
  entry.owes_stop = 0;
}

// What it runs, if anything, it is to say itself.
void ask_again(ShimEntry& entry) {
  entry.record.phase = Phase::unknown;
  entry.record.incarnation = 0;
  entry.owes_list = true;
}

}  // namespace

// Shims of a keeper that was here before.
void KeeperProcess::attach_existing() {
  for_each_name(".", [this](const char* name) {
    const std::uint64_t serial = number_or_zero(name);
    if (serial == 0 || serial >> kSerialBits != 0 || shims_.find(serial) != nullptr) return;
    ShimEntry* entry = shims_.add(serial);
    if (entry == nullptr) return;
    entry->record.phase = Phase::unknown;
    if (!attach(*entry)) shims_.remove(*entry);
  });
}

// False: nobody listens there any more.
bool KeeperProcess::attach(ShimEntry& entry) {
  const int fd = connect_to(Path(entry.record.serial, "/", kShimSocket).c_str());
  if (fd == -ECONNREFUSED || fd == -ENOENT) return false;
  entry.has_shim = true;
  entry.heard = false;
  if (fd < 0) {
    try_again_soon();
    return true;
  }
  entry.link = fd;
  entry.link_waits = false;
  entry.owes_hello = true;
  watch(fd, tag(Source::shim, entry.record.serial));
  pay(entry);
  return true;
}

void KeeperProcess::launch(ShimEntry& entry, const Header& header, const LaunchFrame& frame, long size) {
  owe_nothing(entry);
  entry.record = Record{.serial = frame.serial, .incarnation = frame.incarnation, .phase = Phase::launching};
  const long born = entry.has_shim ? 0 : give_birth(entry, frame.id.data);
  if (born < 0) {
    entry.record.phase = Phase::start_failed;
    entry.record.failed_step = SpawnStep::shim;
    entry.record.failed_error = static_cast<std::int32_t>(-born);
    return changed(entry);
  }
  if (entry.link >= 0 && !entry.owes() && send_frame(entry.link, g_frame, static_cast<std::size_t>(size)) == Sent::yes) {
    return;
  }
  ask_again(entry);  // it is there but takes nothing
  pay(entry);
  refuse(link_, header, RefusalCode::busy, {frame.serial, frame.incarnation, 0});
}

long KeeperProcess::give_birth(ShimEntry& entry, const char* id) {
  const Path cgroup = cgroup_.size() > 0 ? cgroup_path(cgroup_.c_str(), arguments_.token, entry.record.serial) : Path("-");
  const int pid = bear_shim({entry.record.serial, id, arguments_.ephemeral, cgroup.c_str()});
  if (pid < 0) return pid;
  entry.pid = pid;
  entry.has_shim = true;
  entry.is_child = true;
  entry.foreign_orphans = false;
  attach(entry);
  return pid;
}

KeeperProcess::Heard KeeperProcess::hear(ShimEntry& entry) {
  for (int i = 0; i < kFramesPerTurn; ++i) {
    const long size = receive_frame(entry.link, g_frame, sizeof g_frame);
    if (size == kNothing) return Heard::all;
    if (size == kEnded) return Heard::ended;
    Header header;
    if (read_header(g_frame, static_cast<std::size_t>(size), &header)) on_shim_frame(entry, header, size);
  }
  return Heard::some;
}

void KeeperProcess::read_shim(ShimEntry& entry) {
  if (entry.link < 0 || hear(entry) != Heard::ended) return;
  drop_shim_link(entry);
  // A child's death is told by wait, with what it leaves already ours. A shim may also live and have let go
  // of us for a successor: asking again finds out.
  if (!entry.is_child && !attach(entry)) return on_shim_gone(entry);
  try_again_soon();
}

void KeeperProcess::on_shim_frame(ShimEntry& entry, const Header& header, long size) {
  const auto bytes = static_cast<std::size_t>(size);
  if (header.type == FrameType::hello) {
    Hello hello;
    entry.heard = read_hello(g_frame, bytes, &hello) && common_version(hello) != 0;
    if (entry.heard && !entry.is_child) entry.pid = hello.pid;
    return;
  }
  if (header.type == FrameType::refused) {
    Refusal refusal;
    if (!read_refusal(g_frame, bytes, &refusal)) return;
    if (refusal.code == RefusalCode::fenced) {
      left_ = true;  // somebody newer looks after this fleet
    } else if (refusal.type == FrameType::launch) {
      if (link_ >= 0) send_frame(link_, g_frame, bytes);
      ask_again(entry);
      pay(entry);
    }
    return;
  }
  Record record;
  if (!entry.heard || !is_record(header.type) || !read_record(g_frame, bytes, &record)) return;
  // What a shim said before it heard of the launch.
  if (record.serial != entry.record.serial || record.incarnation < entry.record.incarnation) return;
  entry.record = record;
  changed(entry);
}

// Says what is owed, as far as there is room.
void KeeperProcess::pay(ShimEntry& entry) {
  if (entry.link < 0) return;
  std::uint8_t frame[kMaxSmallFrame];
  const ServiceRef ref{entry.record.serial, entry.record.incarnation, entry.owes_stop};
  Sent sent = Sent::yes;
  const auto send = [&](std::size_t size) {
    if (sent == Sent::yes) sent = send_frame(entry.link, frame, size);
    return sent == Sent::yes;
  };
  const auto say = [&](FrameType type) { return send(write_ref(frame, sizeof frame, type, ref, 0, epoch_)); };
  if (entry.owes_hello && send(write_hello(frame, sizeof frame, own_hello(), epoch_))) entry.owes_hello = false;
  if (entry.owes_list && send(write_empty(frame, sizeof frame, FrameType::list, 0, epoch_))) entry.owes_list = false;
  if (entry.owes_stop != 0 && say(FrameType::stop)) entry.owes_stop = 0;
  if (entry.owes_kill && say(FrameType::kill)) entry.owes_kill = false;
  if (entry.owes_ack && say(FrameType::ack)) entry.owes_ack = false;
  if (entry.owes_forget && say(FrameType::forget)) entry.owes_forget = false;
  if (entry.owes_goodbye && send(write_empty(frame, sizeof frame, FrameType::goodbye, 0, epoch_))) {
    entry.owes_goodbye = false;
  }
  // A broken link shows when it is read.
  const bool waits = sent == Sent::later;
  if (waits != entry.link_waits) watch(entry.link, tag(Source::shim, entry.record.serial), waits);
  entry.link_waits = waits;
}

void KeeperProcess::drop_shim_link(ShimEntry& entry) {
  if (entry.link >= 0) sys::close(entry.link);
  entry.link = -1;
  entry.link_waits = false;
}

void KeeperProcess::release(ShimEntry& entry) {
  drop_shim_link(entry);
  if (entry.untold) --untold_;
  if (entry.forgotten) remove_service_files(Path(entry.record.serial).c_str());
  shims_.remove(entry);
}

void KeeperProcess::changed(ShimEntry& entry) {
  if (!entry.untold) ++untold_;
  entry.untold = true;
}

}  // namespace azora::keeper
