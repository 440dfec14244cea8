// The keeper's side of the links to its shims.
#include <errno.h>

#include <initializer_list>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/keeper_process.hpp"
#include "azora/keeper/program/keeper_tags.hpp"
#include "azora/keeper/program/spawn_shim.hpp"

namespace azora::keeper {
namespace {

constexpr int kFramesPerTurn = 8;

std::size_t write_own_folder(std::uint8_t* frame, std::size_t room, std::uint64_t epoch) {
  char own[Path::kRoom];
  if (sys::current_dir(own, sizeof own) <= 0) own[0] = 0;
  return write_folder(frame, room, {own, static_cast<std::uint32_t>(size_of(own))}, epoch);
}

// About the incarnation that a new one follows.
void send_no_more(ShimEntry& entry) {
  for (const ToShim what : {ToShim::ack, ToShim::kill, ToShim::stop}) entry.to_send.remove(what);
}

// What it runs, if anything, it is to say itself.
void ask_again(ShimEntry& entry) {
  entry.record.phase = Phase::unknown;
  entry.record.incarnation = 0;
  entry.to_send.add(ToShim::list);
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

// False: no process listens there any more.
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
  entry.to_send.add(ToShim::hello);
  watch(fd, tag(Source::shim, entry.record.serial));
  send_to_shim(entry);
  return true;
}

void KeeperProcess::launch(ShimEntry& entry, const Header& header, const LaunchFrame& frame, long size) {
  send_no_more(entry);
  entry.record = Record{.serial = frame.serial, .incarnation = frame.incarnation, .phase = Phase::launching};
  set_id(&entry.record, frame.id);
  entry.record.spec_hash = frame.spec_hash;
  const long started = entry.has_shim ? 0 : start_shim(entry, frame.id.data);
  if (started < 0) {
    entry.record.phase = Phase::start_failed;
    entry.record.failed_step = SpawnStep::shim;
    entry.record.failed_error = static_cast<std::int32_t>(-started);
    return changed(entry);
  }
  Sent sent = Sent::later;
  if (entry.link >= 0 && !entry.to_send.any()) sent = send_frame(entry.link, g_frame, static_cast<std::size_t>(size));
  if (sent == Sent::yes) return;
  ask_again(entry);  // it is there but takes nothing
  send_to_shim(entry);
  const RefusalCode code = sent == Sent::too_large ? RefusalCode::too_large : RefusalCode::busy;
  refuse(link_, header, code, {frame.serial, frame.incarnation});
}

long KeeperProcess::start_shim(ShimEntry& entry, const char* id) {
  const Path cgroup = cgroup_.size() > 0 ? cgroup_path(cgroup_.c_str(), arguments_.token, entry.record.serial) : Path("-");
  const int pid = spawn_shim({entry.record.serial, id, arguments_.ephemeral, cgroup.c_str()});
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
  // A child's death is reported by wait, with what it leaves already ours. A shim may also live and have let go
  // of us for a successor: asking again finds out.
  if (!entry.is_child && !attach(entry)) return on_shim_ended(entry);
  try_again_soon();
}

void KeeperProcess::on_shim_frame(ShimEntry& entry, const Header& header, long size) {
  const auto bytes = static_cast<std::size_t>(size);
  if (header.type == FrameType::hello) {
    Hello hello;
    entry.heard = read_hello(g_frame, bytes, &hello) && common_version(hello) != 0 && is_same_boot(hello, own_hello());
    if (entry.heard && !entry.is_child) entry.pid = hello.pid;
    return;
  }
  if (header.type == FrameType::refused) {
    Refusal refusal;
    if (read_refusal(g_frame, bytes, &refusal)) on_refused(entry, refusal, bytes);
    return;
  }
  Record record;
  if (!entry.heard || !is_record(header.type) || !read_record(g_frame, bytes, &record)) return;
  // What a shim said before it heard of the launch.
  if (record.serial != entry.record.serial || record.incarnation < entry.record.incarnation) return;
  entry.record = record;
  changed(entry);
}

// `size` of the refusal's frame, which is the one that is held.
void KeeperProcess::on_refused(ShimEntry& entry, const Refusal& refusal, std::size_t size) {
  if (refusal.code == RefusalCode::fenced) {
    // This fleet has a newer keeper, or we speak for an orchestrator that does not know how far its predecessor got.
    std::uint8_t frame[kMaxSmallFrame];
    const Refusal passed_on{.code = RefusalCode::fenced, .type = FrameType::hello, .detail = refusal.detail};
    if (link_ >= 0) send_frame(link_, frame, write_refusal(frame, sizeof frame, passed_on, 0, epoch_));
    left_ = true;
  } else if (refusal.type == FrameType::launch) {
    if (link_ >= 0) send_frame(link_, g_frame, size);
    ask_again(entry);
    send_to_shim(entry);
  }
}

// As far as there is room.
void KeeperProcess::send_to_shim(ShimEntry& entry) {
  if (entry.link < 0) return;
  std::uint8_t frame[kMaxSmallFrame];
  const ServiceRef ref{entry.record.serial, entry.record.incarnation};
  Sent sent = Sent::yes;
  const auto send = [&](ToShim what, auto write) {
    if (sent != Sent::yes || !entry.to_send.has(what)) return;
    sent = send_frame(entry.link, frame, write());
    if (sent == Sent::yes) entry.to_send.remove(what);
  };
  const auto of_service = [&](FrameType type) {
    return [&, type] { return write_ref(frame, sizeof frame, type, ref, 0, epoch_); };
  };
  const auto alone = [&](FrameType type) {
    return [&, type] { return write_empty(frame, sizeof frame, type, 0, epoch_); };
  };
  send(ToShim::hello, [&] { return write_hello(frame, sizeof frame, own_hello(), epoch_); });
  send(ToShim::list, alone(FrameType::list));
  send(ToShim::move, [&] { return write_own_folder(frame, sizeof frame, epoch_); });
  send(ToShim::stop, [&] { return write_stop(frame, sizeof frame, ref, entry.stop, 0, epoch_); });
  send(ToShim::kill, of_service(FrameType::kill));
  send(ToShim::ack, of_service(FrameType::ack));
  send(ToShim::forget, of_service(FrameType::forget));
  send(ToShim::goodbye, alone(FrameType::goodbye));
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
  if (entry.unsent) --unsent_;
  if (entry.forgotten) remove_service_files(Path(entry.record.serial).c_str());
  shims_.remove(entry);
}

void KeeperProcess::changed(ShimEntry& entry) {
  if (!entry.unsent) ++unsent_;
  entry.unsent = true;
}

}  // namespace azora::keeper
