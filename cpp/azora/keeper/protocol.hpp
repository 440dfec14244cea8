#pragma once
// The language of orchestrator, keeper and shims. One frame is one message of a SOCK_SEQPACKET Unix
// socket: a header, then the fields of its type, little-endian, texts with their length and a NUL.
//
// Start. The orchestrator makes a private runtime directory (0700), binds and listens on kKeeperSocket
// in it, and runs   azora-keeper keeper ephemeral|durable TOKEN   with
//   cwd = the runtime directory, fd 3 = the listening socket, fd 4 = a descriptor that turns readable
//   (or hangs up) when the orchestrator's process has ended: its pidfd. Fds 0-2 should be the null device;
//   fd 2 is where a refusal to start is written. TOKEN ([a-z0-9-], unique per runtime directory)
//   names the cgroups; AZORA_NO_CGROUP=1 in the environment forbids them.
// The process started forks and exits with 0 at once (2: wrong arguments, 1: no fork); the keeper is its
// child, in a session of its own, and no process of ours waits for it. The orchestrator closes its copy of the
// listening socket and connects; what it sends before the keeper listens waits in the socket. The
// keeper's death is the end of that connection: unlink and bind the socket anew, run another keeper,
// connect, LIST. A keeper serves one connection at a time: the latest whose HELLO is not fenced. A keeper
// that does not answer PING is replaced in the same way; it leaves when a shim refuses it.
// HELLO names the boot of the machine: a peer of another boot is refused, since pids and times mean nothing to it.
//
// State. All that is ever said about a service is its Record, whole; the receiver keeps the newest. Records
// come unasked when they change (intermediate ones may be skipped: swept says all that exited said, and
// exited all that started said) and all at once as the answer to LIST, which ends with list_end
// (LISTs that come close to each other may share one answer). The orchestrator may say everything
// twice: a LAUNCH of an incarnation that was launched is answered with its record; STOP, KILL and ACK of
// another incarnation than the current one do nothing.
// - After LIST, a service that had a process and is in no record has lost its shim together with the
//   keeper: say RECLAIM with the last record known; `lost` answers it once nothing of it is left.
// - `lost` with incarnation 0: the shim died before it could say what it ran. RECLAIM likewise.
// - A record whose phase is_over() stays until ACK, a later LAUNCH or FORGET. The orchestrator sends ACK when it
//   has made the end durable, not when it has heard of it. Phase unknown: wait, its record follows when its
//   shim answers.
// - A listed record that the orchestrator knows nothing of is left alone and reported: the orchestrator adopts,
//   launches or forgets it. The record has what is needed for that: service id, hash of what was launched,
//   whether a stop was asked for.
// - A launch that cannot be passed on comes back as `refused` (busy, stale, ending, limit).
// - FORGET and MOVE have no answer. GOODBYE is answered by `ended` when every service and shim has ended, in an
//   ephemeral fleet the runtime directory too; then the keeper exits.
// - A repeated STOP with the same signal reaches no process twice, and only shortens the time.
// Every frame carries the fencing epoch of the orchestrator it speaks for; receivers refuse an epoch
// older than the highest they have seen. The orchestrator uses a greater one for every keeper it
// starts; a keeper that a shim refuses as fenced passes the refusal on, with the epoch to exceed, and exits
// without touching anything.
// Folder. When the runtime directory was removed under a living fleet, MOVE names a new one: keeper and shims
// go there, with their sockets and with the logs written from then on.
//
// End. Shims outlive the keeper and go on recording. When fd 4 shows that the orchestrator has ended, an
// ephemeral keeper and each of its shims by itself stop their service (stop signal, stop timeout, kill,
// sweep), remove their files, the last one the runtime directory, and end; a durable keeper just
// ends, durable shims stay and wait for the next one. A killed shim takes its main process along
// (PR_SET_PDEATHSIG); the keeper kills what else is left and says `lost`.
//
// This file is also compiled into the static program, which has no C library: no allocation, no
// locale, no exceptions. Threads: any; no state. Fails: readers show it by ok(), and all that they gave is then 0.
#include <cstddef>
#include <cstdint>

namespace azora::keeper {

// We speak every version of this range; two peers use the highest they share.
inline constexpr std::uint16_t kOldestProtocol = 1;
inline constexpr std::uint16_t kNewestProtocol = 1;
inline constexpr char kBuildId[] = "azora-keeper/1.0";

// What a socket of default size carries in one message; bounds a launch (argv and environment).
inline constexpr std::size_t kMaxFrame = 192 * 1024;
inline constexpr std::size_t kHeaderSize = 24;
inline constexpr std::size_t kMaxSmallFrame = 512;  // every frame but LAUNCH
inline constexpr std::int32_t kLastSignal = 64;
inline constexpr std::size_t kMaxServiceId = 79;    // bytes; those of a replica, id@999, included
inline constexpr std::size_t kMaxFolder = 400;      // bytes of the path in MOVE
inline constexpr int kFrameBuffer = 2 * kMaxFrame;  // asked of the system for a socket that carries LAUNCH

// Variables every service has; descendants that left everything else are still found by them.
inline constexpr char kIdVariable[] = "AZORA_ID=";
inline constexpr char kFleetVariable[] = "AZORA_FLEET=";  // followed by TOKEN

inline constexpr char kKeeperSocket[] = "keeper.sock";  // in the runtime directory
inline constexpr char kShimSocket[] = "sock";           // in <runtime directory>/<serial>/
inline constexpr char kLogPrefix[] = "log.";            // followed by a growing number, beside it

enum class FrameType : std::uint16_t {
  hello = 1,         // both ways, first: Hello
  // towards the shim
  launch = 2,        // Launch
  stop = 3,          // ServiceRef and StopOrder
  kill = 4,          // ServiceRef
  list = 5,          // nothing; answered by the records and list_end
  ack = 6,           // ServiceRef: the end of this incarnation is known, its record may go
  forget = 7,        // ServiceRef: stop what is left, remove the logs, end the shim
  reclaim = 8,       // Record: its shim has ended; kill what is left of it, answer lost
  goodbye = 9,       // nothing; stop all, end all
  ping = 10,         // nothing; to the keeper, answered by pong
  move = 11,         // a text: the new runtime directory, which exists
  // from the shim; each carries a Record
  state = 32,        // idle, launching or unknown
  started = 33,
  start_failed = 34, // and swept
  exited = 35,
  swept = 36,
  lost = 37,         // the shim died; nothing is left of the service
  // from the keeper
  list_end = 48,     // nothing
  refused = 49,      // Refusal
  ended = 50,        // nothing: after goodbye, no shim is left
  pong = 51,         // nothing
};

enum class Phase : std::uint8_t {
  idle = 0,          // no process; the end of the last one, if any, was acknowledged
  launching = 1,     // forked, or about to be
  running = 2,
  exited = 3,        // main is dead, descendants may live
  swept = 4,         // main is dead, no descendant is left
  start_failed = 5,  // main never ran, nothing is left
  lost = 6,          // the shim was killed; nothing is left, the exit is unknown
  unknown = 7,       // the shim does not answer, or speaks another protocol
};

// What of a start failed. Its text is made by the orchestrator (start_failure.hpp).
enum class SpawnStep : std::uint8_t {
  none = 0,
  shim = 1,       // the shim itself
  fork = 2,       // pipes and fork
  session = 3,
  cgroup = 4,
  env_file = 5,   // detail > 0: the line, and error is an EnvFault; EFBIG: over kMaxEnvFile
  rlimit = 6,     // detail: resource
  user = 7,
  privileges = 8,
  chdir = 9,
  search = 10,    // argv[0] is not in any folder of PATH
  exec = 11,      // ENOENT with detail 1: the file is there, its interpreter is not
  memory = 12,
};

enum class Oom : std::uint8_t { no = 0, yes = 1, unknown = 2 };
enum class ExitKind : std::uint8_t { none = 0, code = 1, signal = 2 };
// What keeps a service below its memoryLimit.
enum class MemoryBound : std::uint8_t {
  none = 0,
  cgroup = 1,         // memory.max: what all its processes use together
  address_space = 2,  // RLIMIT_AS: the addresses of each of its processes
};

// One gap in a service's output: the lines that could not be written between two that could.
struct LogLoss {
  std::uint64_t lines = 0;              // 0: nothing was ever lost
  std::uint64_t bytes = 0;
  std::int64_t since_wall_ms = 0;
  std::int32_t error = 0;               // 0: the disk was too slow
  bool goes_on = false;                 // nothing was written since
  friend bool operator==(const LogLoss&, const LogLoss&) = default;
};

// Everything known about the current incarnation of one service.
struct Record {
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
  Phase phase = Phase::idle;
  bool in_cgroup = false;
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;        // of the main process, as in /proc/PID/stat: with pid an identity
  std::uint64_t output_pipe = 0;        // inode; a process that has it open is of this service
  std::int64_t started_steady_ns = 0;
  std::int64_t started_wall_ms = 0;
  ExitKind exit_kind = ExitKind::none;
  std::int32_t exit_value = 0;
  Oom oom = Oom::unknown;
  std::int64_t exited_wall_ms = 0;
  SpawnStep failed_step = SpawnStep::none;
  std::int32_t failed_error = 0;
  std::uint32_t failed_detail = 0;
  std::uint64_t log_dropped = 0;        // lines
  LogLoss log_loss;                     // the newest one
  char id[kMaxServiceId + 1] = {};      // of the service, as launched
  std::uint64_t spec_hash = 0;          // of what was launched (launch_hash.hpp)
  bool stop_asked = false;              // by STOP, KILL, FORGET or GOODBYE, or by the end of the orchestrator
  MemoryBound memory_bound = MemoryBound::none;
  std::int32_t left_pid = 0;            // of a process that main left when it ended with 0 right after its start
};
// A program that goes into the background does so within this time; one that ends later has worked and ended.
inline constexpr std::int64_t kRightAfterStartNs = 10'000'000'000;

constexpr bool is_over(Phase phase) {
  return phase == Phase::swept || phase == Phase::start_failed || phase == Phase::lost;
}
constexpr bool has_process(Phase phase) {
  return phase == Phase::launching || phase == Phase::running || phase == Phase::exited;
}

struct Header {
  std::uint32_t length = 0;  // of the whole frame
  FrameType type{};
  std::uint64_t request = 0;
  std::uint64_t epoch = 0;
};

// A NUL-terminated text without inner NULs, inside the frame it was read from.
struct Text {
  const char* data = "";
  std::uint32_t size = 0;
};

struct TextList {
  const std::uint8_t* bytes = nullptr;
  std::uint32_t count = 0;
};

struct Hello {
  std::uint16_t oldest = kOldestProtocol;
  std::uint16_t newest = kNewestProtocol;
  std::int32_t pid = 0;
  Text build_id;
  Text boot_id;
};

struct ServiceRef {
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
};

// How a service is told to stop. What is left when the main process has ended gets the signal then, once, and has the
// rest of the time.
struct StopOrder {
  std::int32_t signal = 15;
  std::uint32_t timeout_ms = 10'000;  // from the order on; then all that is left is killed
  bool tree = false;                  // to all its processes at once, not to the main one alone
  friend bool operator==(const StopOrder&, const StopOrder&) = default;
};

enum class RefusalCode : std::uint16_t {
  fenced = 1,     // detail: the highest epoch seen
  version = 2,    // no common protocol
  malformed = 3,
  stale = 4,      // an incarnation older than the current one
  busy = 5,       // the former incarnation still has processes, or the shim is stuck
  ending = 6,     // the fleet is being ended
  limit = 7,      // too many services
  other_boot = 8, // of the machine
  too_large = 9,  // for a message of this system
};

struct Refusal {
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
  RefusalCode code{};
  FrameType type{};  // of the refused frame
  std::uint64_t detail = 0;
};

struct ResourceLimit {
  std::uint32_t resource = 0;
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};
inline constexpr std::size_t kMaxEnvFile = 1024 * 1024;  // bytes
inline constexpr std::size_t kMaxLimits = 16;
inline constexpr std::size_t kMaxGroups = 256;

// A launch as it is read by the shim: everything points into the frame. Written by launch_frame.hpp.
struct LaunchFrame {
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
  Text id;              // at most kMaxServiceId bytes
  std::uint64_t spec_hash = 0;
  TextList argv;
  TextList env_before;  // NAME=VALUE; then envFile's lines, then env_after; the last one wins
  TextList env_after;
  Text env_file;
  bool env_expand = false;  // $NAME in its values
  Text cwd;
  bool switch_user = false;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t group_count = 0;
  const std::uint8_t* groups = nullptr;  // group_count times 4 bytes
  StopOrder stop;       // used when the orchestrator and the keeper are gone
  std::uint32_t orphan_timeout_ms = 0;  // of what the main process leaves when it ends by itself
  std::uint64_t log_max_bytes = 0;
  std::uint32_t log_files = 1;
  std::uint32_t umask = 077;
  bool no_new_privs = true;
  std::uint64_t memory_limit = 0;  // bytes; 0: none
  std::uint32_t limit_count = 0;
  ResourceLimit limits[kMaxLimits];
};

// All read_* return false, and leave nothing to rely on, when the bytes are not exactly one such frame.
bool read_header(const std::uint8_t* frame, std::size_t size, Header* header);
bool read_hello(const std::uint8_t* frame, std::size_t size, Hello* hello);
bool read_ref(const std::uint8_t* frame, std::size_t size, ServiceRef* ref);
bool read_stop(const std::uint8_t* frame, std::size_t size, ServiceRef* ref, StopOrder* order);
bool read_record(const std::uint8_t* frame, std::size_t size, Record* record);
bool read_refusal(const std::uint8_t* frame, std::size_t size, Refusal* refusal);
bool read_launch(const std::uint8_t* frame, std::size_t size, LaunchFrame* launch);
bool read_folder(const std::uint8_t* frame, std::size_t size, Text* folder);

// All write_* return the frame's size, 0 when `room` is too small.
std::size_t write_empty(std::uint8_t* data, std::size_t room, FrameType type, std::uint64_t request,
                        std::uint64_t epoch);
std::size_t write_hello(std::uint8_t* data, std::size_t room, const Hello& hello, std::uint64_t epoch);
std::size_t write_ref(std::uint8_t* data, std::size_t room, FrameType type, const ServiceRef& ref,
                      std::uint64_t request, std::uint64_t epoch);
std::size_t write_stop(std::uint8_t* data, std::size_t room, const ServiceRef& ref, const StopOrder& order,
                       std::uint64_t request, std::uint64_t epoch);
std::size_t write_record(std::uint8_t* data, std::size_t room, FrameType type, const Record& record,
                         std::uint64_t request, std::uint64_t epoch);
std::size_t write_refusal(std::uint8_t* data, std::size_t room, const Refusal& refusal,
                          std::uint64_t request, std::uint64_t epoch);

std::size_t write_folder(std::uint8_t* data, std::size_t room, const Text& folder, std::uint64_t epoch);

// Puts the id of a launch into its record.
void set_id(Record* record, const Text& id);
// The type a record travels under.
FrameType type_of(Phase phase);
bool is_record(FrameType type);
// The highest version both speak, 0 when there is none.
std::uint16_t common_version(const Hello& peer);
// False: both say of which boot they are, and it is not the same.
bool is_same_boot(const Hello& one, const Hello& other);

}  // namespace azora::keeper
