#pragma once
// The records that are stored, and their bytes. The rows of each record are listed in record_rows.hpp; they are at once
// its format, its decoder and the names used in faults. README.md says what belongs in a record and what does not.
//
// Bytes: version (16 bits), payload, checksum (64 bits, over table, key, version and payload). All records share one
// version number; a change of a row must raise it and teach the decoder the former form. Rows that were only added are
// in kAddedRows (record_rows.hpp): a record of a former version does not have them, and they keep their default.
// Steady time does not survive a reboot, so a moment is stored as its distance from the wall time of writing. A future
// moment is never further away when it is read than it was when it was written, whatever the wall clock did.
// Threads: any; pure functions of their arguments. Fails: decode() with storage_failed and a message that names the row
// and what is wrong with it, for bytes that were cut, flipped, moved to another key or made up.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/base/time.hpp"
#include "azora/model/health_status.hpp"
#include "azora/model/lifecycle.hpp"
#include "azora/model/owner_state.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/model/view.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

inline constexpr std::uint16_t kRecordVersion = 2;  // records of all former versions are read

// Numbers that must never go back, over all runs of the program.
struct HeadsRecord {
  std::uint64_t last_serial = 0;  // no registration has a higher one; reserved ahead, in blocks
  std::uint64_t next_order = 0;   // of listings
  std::uint64_t event_seq = 0;    // no event has a higher number; reserved ahead, in blocks
  std::uint64_t epoch = 0;        // the last one that was sent to keepers
  std::string boot_id;            // of the system that wrote it: after a reboot no run is left
  friend bool operator==(const HeadsRecord&, const HeadsRecord&) = default;
};

// One entry as its user wrote it; its replicas are several services.
struct EntryRecord {
  std::string name;
  std::string source;  // compact JSON object, unmasked: parsed again, it gives the same services
  Origin origin = Origin::rest;
  bool callable = false;  // its restart action is a function of the program that registered it
  std::string actor;      // who wrote it last
  std::uint64_t generation = 1;
  std::uint64_t order = 0;  // of its first service
  friend bool operator==(const EntryRecord&, const EntryRecord&) = default;
};

// From the wall time of writing: a positive distance was in the future.
using Distance = Nanos;
using OptionalDistance = std::optional<Distance>;

// The stored healing::Machine; orchestrator/durable.hpp converts both ways.
struct MachineRecord {
  Lifecycle lifecycle = Lifecycle::idle;
  Desired desired = Desired::down;
  std::uint64_t incarnation = 0;
  int restart_count = 0;
  bool deps_ok = false;
  bool ever_started = false;
  bool restart_asked = false;
  bool action_running = false;
  bool well_before = false;

  bool told_failed = false;
  bool told_unavailable = false;
  bool told_blocked = false;

  bool admission_request = false;
  bool slot = false;
  bool permit_request = false;
  bool permit = false;

  int attempts = 0;
  Nanos last_delay{0};
  bool flapping = false;
  std::vector<Distance> recent_restarts;

  std::string cause;  // wire names
  std::string start_cause;
  bool failing = false;
  bool half_open = false;
  bool evidence_pending = false;
  OptionalDistance down_since;
  OptionalDistance failed_at;
  OptionalDistance earliest;
  OptionalDistance last_evidence;

  OptionalDistance deadline;
  OptionalDistance next_attempt;
  OptionalDistance clock;
  OptionalDistance started;
  OptionalDistance stable_since;
  friend bool operator==(const MachineRecord&, const MachineRecord&) = default;
};

// A verb that waits until other services have ended.
struct StagedRecord {
  std::string verb;
  std::vector<std::uint64_t> after;  // serials
  std::vector<std::uint64_t> raise;  // started again when it is done
  friend bool operator==(const StagedRecord&, const StagedRecord&) = default;
};

struct DrainRecord {
  DrainThen then = DrainThen::keep;
  WallTime since;
  Nanos timeout{0};
  bool done = false;
  friend bool operator==(const DrainRecord&, const DrainRecord&) = default;
};

struct MaintenanceRecord {
  std::string reason;
  WallTime since;
  std::optional<WallTime> until;
  friend bool operator==(const MaintenanceRecord&, const MaintenanceRecord&) = default;
};

struct ExitRecord {
  std::optional<int> code;
  std::optional<int> signal;
  std::optional<bool> oom;
  WallTime at;
  std::optional<int> left_pid;
  friend bool operator==(const ExitRecord&, const ExitRecord&) = default;
};

// One service: the decisions about it, and its state.
struct ServiceRecord {
  WallTime written;
  std::uint64_t serial = 0;
  std::string id;
  std::uint64_t order = 0;
  std::uint64_t generation = 1;
  Desired wanted = Desired::up;
  bool leaving = false;                  // unregistered; its process is not proven gone yet
  std::string leaving_source;            // its configuration if no entry has it any more
  std::vector<std::string> waiting_ids;  // leaving: ids that are not started before it is gone
  bool restart_required = false;
  HealthStatus status = HealthStatus::unknown;  // as published
  WallTime start_time;
  std::optional<ExitRecord> last_exit;
  std::optional<std::uint32_t> ordinal;  // its place on the grid of checks
  std::optional<std::vector<std::uint64_t>> executable_stamp;
  std::optional<StagedRecord> staged;
  MachineRecord machine;
  std::optional<DrainRecord> drain;
  std::optional<MaintenanceRecord> maintenance;
  friend bool operator==(const ServiceRecord&, const ServiceRecord&) = default;
};

Key key_of(const HeadsRecord& record);
Key key_of(const EntryRecord& record);
Key key_of(const ServiceRecord& record);
Key entry_key(std::string_view name);
Key service_key(std::uint64_t serial);

Row encode(const HeadsRecord& record);
Row encode(const EntryRecord& record);
Row encode(const ServiceRecord& record);

// A number that differs (as good as certainly, with 64 bits) if any row differs, except for `written` and `ordinal`.
// `ordinal` moves when other services leave, so it is stored with the next change; the scheduler takes an outdated one
// as a wish.
std::uint64_t fingerprint(const ServiceRecord& record);

Result<HeadsRecord> decode_heads(const Row& row);
Result<EntryRecord> decode_entry(const Row& row);
Result<ServiceRecord> decode_service(const Row& row);

// Decodes all that a store holds. Fails as a whole, and names every damaged row.
struct State {
  HeadsRecord heads;
  std::vector<EntryRecord> entries;    // by order
  std::vector<ServiceRecord> services; // by order
};
Result<State> decode_state(const std::vector<Row>& rows);

}  // namespace azora::store
