#include "azora/keeper/protocol.hpp"

#include <cstring>

#include "azora/keeper/frame_fields.hpp"

namespace azora::keeper {
namespace {

// Opens the fields of a frame whose header agrees with its bytes.
bool open_frame(const std::uint8_t* frame, std::size_t size, Reader* fields) {
  Header header;
  if (!read_header(frame, size, &header)) return false;
  *fields = Reader(frame + kHeaderSize, size - kHeaderSize);
  return true;
}

// Reads an enumerator from a byte; a value above `last` is not one of ours.
template <typename Enum>
Enum checked(Reader& fields, Enum last) {
  const std::uint8_t value = fields.u8();
  if (value > static_cast<std::uint8_t>(last)) fields.fail();
  return static_cast<Enum>(value);
}

bool checked_bool(Reader& fields) {
  const std::uint8_t value = fields.u8();
  if (value > 1) fields.fail();
  return value == 1;
}

LogLoss log_loss(Reader& fields) {
  LogLoss loss;
  loss.lines = fields.u64();
  loss.bytes = fields.u64();
  loss.since_wall_ms = fields.i64();
  loss.error = fields.i32();
  loss.goes_on = checked_bool(fields);
  return loss;
}

StopOrder stop_order(Reader& fields) {
  StopOrder order;
  order.signal = fields.i32();
  if (order.signal < 1 || order.signal > kLastSignal) fields.fail();
  order.timeout_ms = fields.u32();
  order.tree = checked_bool(fields);
  return order;
}

}  // namespace

bool read_header(const std::uint8_t* frame, std::size_t size, Header* header) {
  if (size < kHeaderSize || size > kMaxFrame) return false;
  Reader fields(frame, kHeaderSize);
  header->length = fields.u32();
  header->type = static_cast<FrameType>(fields.u16());
  fields.u16();
  header->request = fields.u64();
  header->epoch = fields.u64();
  return header->length == size;
}

bool read_hello(const std::uint8_t* frame, std::size_t size, Hello* hello) {
  Reader fields(nullptr, 0);
  if (!open_frame(frame, size, &fields)) return false;
  hello->oldest = fields.u16();
  hello->newest = fields.u16();
  hello->pid = fields.i32();
  hello->build_id = fields.text();
  hello->boot_id = fields.text();
  // A later version may say more after these: an older peer must still understand them.
  return fields.ok() && hello->oldest <= hello->newest;
}

bool read_ref(const std::uint8_t* frame, std::size_t size, ServiceRef* ref) {
  Reader fields(nullptr, 0);
  if (!open_frame(frame, size, &fields)) return false;
  ref->serial = fields.u64();
  ref->incarnation = fields.u64();
  return fields.done();
}

bool read_stop(const std::uint8_t* frame, std::size_t size, ServiceRef* ref, StopOrder* order) {
  Reader fields(nullptr, 0);
  if (!open_frame(frame, size, &fields)) return false;
  ref->serial = fields.u64();
  ref->incarnation = fields.u64();
  *order = stop_order(fields);
  return fields.done();
}

bool read_record(const std::uint8_t* frame, std::size_t size, Record* record) {
  Reader fields(nullptr, 0);
  if (!open_frame(frame, size, &fields)) return false;
  record->serial = fields.u64();
  record->incarnation = fields.u64();
  record->phase = checked(fields, Phase::unknown);
  record->in_cgroup = checked_bool(fields);
  record->pid = fields.i32();
  record->start_ticks = fields.u64();
  record->output_pipe = fields.u64();
  record->started_steady_ns = fields.i64();
  record->started_wall_ms = fields.i64();
  record->exit_kind = checked(fields, ExitKind::signal);
  record->exit_value = fields.i32();
  record->oom = checked(fields, Oom::unknown);
  record->exited_wall_ms = fields.i64();
  record->failed_step = checked(fields, SpawnStep::memory);
  record->failed_error = fields.i32();
  record->failed_detail = fields.u32();
  record->log_dropped = fields.u64();
  record->log_loss = log_loss(fields);
  const Text id = fields.text();
  if (id.size > kMaxServiceId) return false;
  set_id(record, id);
  record->spec_hash = fields.u64();
  record->stop_asked = checked_bool(fields);
  record->memory_bound = checked(fields, MemoryBound::address_space);
  record->left_pid = fields.i32();
  return fields.done();
}

bool read_refusal(const std::uint8_t* frame, std::size_t size, Refusal* refusal) {
  Reader fields(nullptr, 0);
  if (!open_frame(frame, size, &fields)) return false;
  refusal->serial = fields.u64();
  refusal->incarnation = fields.u64();
  refusal->code = static_cast<RefusalCode>(fields.u16());
  refusal->type = static_cast<FrameType>(fields.u16());
  refusal->detail = fields.u64();
  return fields.done();
}

bool read_launch(const std::uint8_t* frame, std::size_t size, LaunchFrame* launch) {
  Reader fields(nullptr, 0);
  if (!open_frame(frame, size, &fields)) return false;
  launch->serial = fields.u64();
  launch->incarnation = fields.u64();
  launch->id = fields.text();
  if (launch->id.size > kMaxServiceId) return false;
  launch->spec_hash = fields.u64();
  launch->argv = fields.text_list();
  launch->env_before = fields.text_list();
  launch->env_after = fields.text_list();
  launch->env_file = fields.text();
  launch->env_expand = checked_bool(fields);
  launch->cwd = fields.text();
  launch->switch_user = checked_bool(fields);
  launch->uid = fields.u32();
  launch->gid = fields.u32();
  launch->group_count = fields.u32();
  if (launch->group_count > kMaxGroups) return false;
  launch->groups = fields.bytes(std::size_t{4} * launch->group_count);
  launch->stop = stop_order(fields);
  launch->orphan_timeout_ms = fields.u32();
  launch->log_max_bytes = fields.u64();
  launch->log_files = fields.u32();
  launch->umask = fields.u32();
  launch->no_new_privs = checked_bool(fields);
  launch->memory_limit = fields.u64();
  launch->limit_count = fields.u32();
  if (launch->limit_count > kMaxLimits) return false;
  for (std::uint32_t i = 0; i < launch->limit_count; ++i) {
    launch->limits[i] = {fields.u32(), fields.u64(), fields.u64()};
  }
  return fields.done() && launch->argv.count > 0 && launch->incarnation > 0;
}

bool read_folder(const std::uint8_t* frame, std::size_t size, Text* folder) {
  Reader fields(nullptr, 0);
  if (!open_frame(frame, size, &fields)) return false;
  *folder = fields.text();
  return fields.done() && folder->size > 0 && folder->size <= kMaxFolder;
}

std::size_t write_empty(std::uint8_t* data, std::size_t room, FrameType type, std::uint64_t request,
                        std::uint64_t epoch) {
  return Writer(data, room, type, request, epoch).finish();
}

std::size_t write_hello(std::uint8_t* data, std::size_t room, const Hello& hello,
                        std::uint64_t epoch) {
  Writer frame(data, room, FrameType::hello, 0, epoch);
  frame.u16(hello.oldest);
  frame.u16(hello.newest);
  frame.i32(hello.pid);
  frame.text(hello.build_id.data, hello.build_id.size);
  frame.text(hello.boot_id.data, hello.boot_id.size);
  return frame.finish();
}

std::size_t write_ref(std::uint8_t* data, std::size_t room, FrameType type, const ServiceRef& ref,
                      std::uint64_t request, std::uint64_t epoch) {
  Writer frame(data, room, type, request, epoch);
  frame.u64(ref.serial);
  frame.u64(ref.incarnation);
  return frame.finish();
}

std::size_t write_stop(std::uint8_t* data, std::size_t room, const ServiceRef& ref, const StopOrder& order,
                       std::uint64_t request, std::uint64_t epoch) {
  Writer frame(data, room, FrameType::stop, request, epoch);
  frame.u64(ref.serial);
  frame.u64(ref.incarnation);
  frame.stop_order(order);
  return frame.finish();
}

std::size_t write_record(std::uint8_t* data, std::size_t room, FrameType type, const Record& record,
                         std::uint64_t request, std::uint64_t epoch) {
  Writer frame(data, room, type, request, epoch);
  frame.u64(record.serial);
  frame.u64(record.incarnation);
  frame.u8(static_cast<std::uint8_t>(record.phase));
  frame.u8(record.in_cgroup ? 1 : 0);
  frame.i32(record.pid);
  frame.u64(record.start_ticks);
  frame.u64(record.output_pipe);
  frame.i64(record.started_steady_ns);
  frame.i64(record.started_wall_ms);
  frame.u8(static_cast<std::uint8_t>(record.exit_kind));
  frame.i32(record.exit_value);
  frame.u8(static_cast<std::uint8_t>(record.oom));
  frame.i64(record.exited_wall_ms);
  frame.u8(static_cast<std::uint8_t>(record.failed_step));
  frame.i32(record.failed_error);
  frame.u32(record.failed_detail);
  frame.u64(record.log_dropped);
  frame.u64(record.log_loss.lines);
  frame.u64(record.log_loss.bytes);
  frame.i64(record.log_loss.since_wall_ms);
  frame.i32(record.log_loss.error);
  frame.u8(record.log_loss.goes_on ? 1 : 0);
  frame.text(record.id, std::strlen(record.id));
  frame.u64(record.spec_hash);
  frame.u8(record.stop_asked ? 1 : 0);
  frame.u8(static_cast<std::uint8_t>(record.memory_bound));
  frame.i32(record.left_pid);
  return frame.finish();
}

std::size_t write_refusal(std::uint8_t* data, std::size_t room, const Refusal& refusal,
                          std::uint64_t request, std::uint64_t epoch) {
  Writer frame(data, room, FrameType::refused, request, epoch);
  frame.u64(refusal.serial);
  frame.u64(refusal.incarnation);
  frame.u16(static_cast<std::uint16_t>(refusal.code));
  frame.u16(static_cast<std::uint16_t>(refusal.type));
  frame.u64(refusal.detail);
  return frame.finish();
}

std::size_t write_folder(std::uint8_t* data, std::size_t room, const Text& folder, std::uint64_t epoch) {
  if (folder.size > kMaxFolder) return 0;
  Writer frame(data, room, FrameType::move, 0, epoch);
  frame.text(folder.data, folder.size);
  return frame.finish();
}

void set_id(Record* record, const Text& id) {
  const std::size_t size = id.size <= kMaxServiceId ? id.size : kMaxServiceId;
  std::memset(record->id, 0, sizeof record->id);
  std::memcpy(record->id, id.data, size);
}

FrameType type_of(Phase phase) {
  switch (phase) {
    case Phase::running: return FrameType::started;
    case Phase::exited: return FrameType::exited;
    case Phase::swept: return FrameType::swept;
    case Phase::start_failed: return FrameType::start_failed;
    case Phase::lost: return FrameType::lost;
    case Phase::idle:
    case Phase::launching:
    case Phase::unknown: break;
  }
  return FrameType::state;
}

bool is_record(FrameType type) {
  return type >= FrameType::state && type <= FrameType::lost;
}

std::uint16_t common_version(const Hello& peer) {
  const std::uint16_t newest = peer.newest < kNewestProtocol ? peer.newest : kNewestProtocol;
  return newest >= peer.oldest && newest >= kOldestProtocol ? newest : std::uint16_t{0};
}

bool is_same_boot(const Hello& one, const Hello& other) {
  if (one.boot_id.size == 0 || other.boot_id.size == 0) return true;
  return one.boot_id.size == other.boot_id.size && std::memcmp(one.boot_id.data, other.boot_id.data, one.boot_id.size) == 0;
}

}  // namespace azora::keeper
