#include "azora/keeper/program/keeper_shims.hpp"

#include <errno.h>

#include <initializer_list>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/fleet_dir.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
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

// Drops what is still to be sent about the incarnation that a new one follows.
void send_no_more(ShimEntry& entry) {
  for (const ToShim what : {ToShim::ack, ToShim::kill, ToShim::stop}) entry.to_send.remove(what);
}

// Forgets what the shim runs and asks the shim itself.
void ask_again(ShimEntry& entry) {
  entry.record.phase = Phase::unknown;
  entry.record.incarnation = 0;
  entry.to_send.add(ToShim::list);
}

}  // namespace

void ShimLinks::attach_existing() {
  if (attached_) return;
  attached_ = true;
  for_each_name(".", [this](const char* name) {
    const std::uint64_t serial = number_or_zero(name);
    if (serial == 0 || serial >> kSerialBits != 0 || records_.table().find(serial) != nullptr) return;
    ShimEntry* entry = records_.table().add(serial);
    if (entry == nullptr) return;
    entry->record.phase = Phase::unknown;
    if (!attach(*entry)) records_.remove(*entry);
  });
}

bool ShimLinks::attach(ShimEntry& entry) {
  const int fd = connect_to(Path(entry.record.serial, "/", kShimSocket).c_str());
  if (fd == -ECONNREFUSED || fd == -ENOENT) return false;
  entry.has_shim = true;
  entry.heard = false;
  if (fd < 0) {
    retry_.soon(sys::steady_ns());
    return true;
  }
  entry.link = fd;
  entry.link_waits = false;
  entry.to_send.add(ToShim::hello);
  poll_.watch(fd, tag(Source::shim, entry.record.serial));
  send(entry);
  return true;
}

void ShimLinks::launch(ShimEntry& entry, const Header& header, const LaunchFrame& frame, long size) {
  send_no_more(entry);
  entry.record = Record{.serial = frame.serial, .incarnation = frame.incarnation, .phase = Phase::launching};
  set_id(&entry.record, frame.id);
  entry.record.spec_hash = frame.spec_hash;
  const long started = entry.has_shim ? 0 : start_shim(entry, frame.id.data);
  if (started < 0) {
    entry.record.phase = Phase::start_failed;
    entry.record.failed_step = SpawnStep::shim;
    entry.record.failed_error = static_cast<std::int32_t>(-started);
    return records_.changed(entry);
  }
  Sent sent = Sent::later;
  if (entry.link >= 0 && !entry.to_send.any()) sent = send_frame(entry.link, g_frame, static_cast<std::size_t>(size));
  if (sent == Sent::yes) return;
  ask_again(entry);  // the shim is there but does not take the launch
  send(entry);
  const RefusalCode code = sent == Sent::too_large ? RefusalCode::too_large : RefusalCode::busy;
  orchestrator_.refuse(header, code, {frame.serial, frame.incarnation});
}

long ShimLinks::start_shim(ShimEntry& entry, const char* id) {
  const Path cgroup = cgroups_.path_of(entry.record.serial);
  const int pid = spawn_shim({entry.record.serial, id, ephemeral_, cgroup.c_str()});
  if (pid < 0) return pid;
  entry.pid = pid;
  entry.has_shim = true;
  entry.is_child = true;
  entry.foreign_orphans = false;
  attach(entry);
  return pid;
}

ShimLinks::Heard ShimLinks::hear(ShimEntry& entry) {
  for (int i = 0; i < kFramesPerTurn; ++i) {
    const long size = receive_frame(entry.link, g_frame, sizeof g_frame);
    if (size == kNothing) return Heard::all;
    if (size == kEnded) return Heard::ended;
    Header header;
    if (read_header(g_frame, static_cast<std::size_t>(size), &header)) on_frame(entry, header, size);
  }
  return Heard::some;
}

bool ShimLinks::read(ShimEntry& entry) {
  if (entry.link < 0 || hear(entry) != Heard::ended) return true;
  drop_link(entry);
  // The death of a child is reported by wait; by then we are the parent of what it left. Other shims may still live and
  // have dropped this link for a newer keeper: connecting again shows that.
  if (!entry.is_child && !attach(entry)) return false;
  retry_.soon(sys::steady_ns());
  return true;
}

void ShimLinks::hear_last(ShimEntry& entry) {
  while (entry.link >= 0 && hear(entry) == Heard::some) {
    // hear() has carried out one more frame.
  }
  drop_link(entry);
}

void ShimLinks::on_frame(ShimEntry& entry, const Header& header, long size) {
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
  // The shim sent this before it got the launch.
  if (record.serial != entry.record.serial || record.incarnation < entry.record.incarnation) return;
  entry.record = record;
  records_.changed(entry);
}

// `size` of the refusal's frame, which is the one that is held.
void ShimLinks::on_refused(ShimEntry& entry, const Refusal& refusal, std::size_t size) {
  if (refusal.code == RefusalCode::fenced) {
    // This fleet has a newer keeper, or we speak for an orchestrator that does not know how far its predecessor got.
    std::uint8_t frame[kMaxSmallFrame];
    const Refusal passed_on{.code = RefusalCode::fenced, .type = FrameType::hello, .detail = refusal.detail};
    orchestrator_.send_now(frame, write_refusal(frame, sizeof frame, passed_on, 0, orchestrator_.epoch()));
    superseded_ = true;
  } else if (refusal.type == FrameType::launch) {
    orchestrator_.send_now(g_frame, size);
    ask_again(entry);
    send(entry);
  }
}

void ShimLinks::send_to_all(ToShim what) {
  records_.table().for_each([&](ShimEntry& entry) { send(entry, what); });
}

void ShimLinks::send(ShimEntry& entry) {
  if (entry.link < 0) return;
  const std::uint64_t epoch = orchestrator_.epoch();
  std::uint8_t frame[kMaxSmallFrame];
  const ServiceRef ref{entry.record.serial, entry.record.incarnation};
  Sent sent = Sent::yes;
  const auto send_one = [&](ToShim what, auto write) {
    if (sent != Sent::yes || !entry.to_send.has(what)) return;
    sent = send_frame(entry.link, frame, write());
    if (sent == Sent::yes) entry.to_send.remove(what);
  };
  const auto of_service = [&](FrameType type) {
    return [&, type] { return write_ref(frame, sizeof frame, type, ref, 0, epoch); };
  };
  const auto alone = [&](FrameType type) {
    return [&, type] { return write_empty(frame, sizeof frame, type, 0, epoch); };
  };
  send_one(ToShim::hello, [&] { return write_hello(frame, sizeof frame, own_hello(), epoch); });
  send_one(ToShim::list, alone(FrameType::list));
  send_one(ToShim::move, [&] { return write_own_folder(frame, sizeof frame, epoch); });
  send_one(ToShim::stop, [&] { return write_stop(frame, sizeof frame, ref, entry.stop, 0, epoch); });
  send_one(ToShim::kill, of_service(FrameType::kill));
  send_one(ToShim::ack, of_service(FrameType::ack));
  send_one(ToShim::forget, of_service(FrameType::forget));
  send_one(ToShim::goodbye, alone(FrameType::goodbye));
  // A broken link shows when it is read.
  const bool waits = sent == Sent::later;
  if (waits != entry.link_waits) poll_.watch(entry.link, tag(Source::shim, entry.record.serial), waits);
  entry.link_waits = waits;
}

void ShimLinks::drop_link(ShimEntry& entry) {
  if (entry.link >= 0) sys::close(entry.link);
  entry.link = -1;
  entry.link_waits = false;
}

void ShimLinks::release(ShimEntry& entry) {
  drop_link(entry);
  if (entry.forgotten) remove_service_files(Path(entry.record.serial).c_str());
  records_.remove(entry);
}

}  // namespace azora::keeper
