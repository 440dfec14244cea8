#pragma once
// One fact about the fleet, with its place in the one gap-free sequence. Immutable once appended.
// wire names: struct spelling is mechanical (service_restarted -> "serviceRestarted").
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/base/time.hpp"
#include "azora/model/event_word.hpp"
#include "azora/model/health_status.hpp"

namespace azora {

class JsonWriter;

enum class EventType : std::uint8_t {
  health_check,
  service_registered,
  service_unregistered,
  service_healthy,
  service_degraded,
  service_unhealthy,
  service_started,
  service_stopped,
  service_exited,
  service_blocked,
  service_restarted,
  service_failed,
  service_flapping,
  service_stuck,
  healing_unavailable,
  mass_unhealthy,
  callback_failed,
  orchestrator_degraded,
  orchestrator_recovered,
  service_draining,
  service_drained,
  service_undrained,
  maintenance_began,
  maintenance_ended,
  gap,  // made by a cursor, never appended
};
inline constexpr int kEventTypeCount = 25;

std::string_view wire_name(EventType type);
std::optional<EventType> event_type_from_wire(std::string_view name);

// The keys beyond the common ones; the type decides which of them are set (R35).
struct EventDetail {
  std::optional<int> attempt;                 // serviceRestarted
  std::optional<int> max_restarts;            // serviceRestarted, serviceFailed
  std::optional<std::int64_t> downtime_ms;    // serviceRestarted: downtimeMs
  std::optional<int> pid;                     // serviceStarted, serviceExited
  bool has_exit = false;                      // serviceExited: code, signal, oom are written, null where unset
  std::optional<int> code;
  std::optional<int> signal;                  // number here, name ("SIGKILL") on the wire
  std::optional<bool> oom;
  std::vector<std::string> blocked_by;        // serviceBlocked: blockedBy
  bool has_gap = false;                       // gap: fromSeq, toSeq, count are written
  std::uint64_t gap_from = 0;
  std::uint64_t gap_to = 0;
  std::uint64_t gap_count = 0;
  std::string reason;                         // words for people; written as "reason" when not empty
};

struct Event {
  std::uint64_t seq = 0;                      // set by the log
  WallTime time;
  EventType type = EventType::health_check;
  HealthStatus check_status = HealthStatus::unknown;  // healthCheck: status. Beside `type`, because most events are
  EventCause cause;
  EventActor actor;
  std::int32_t response_ms = 0;               // healthCheck: responseTime
  std::shared_ptr<const std::string> service_id;  // null: about no single service
  std::uint64_t incarnation = 0;
  std::unique_ptr<const EventDetail> detail;  // null: nothing beyond the common keys
};

// {"seq","time","type","serviceId","incarnation","cause",...} compact; serviceId null: no single service.
std::string event_json(const Event& event);
// The reverse; unknown keys are ignored. Fails: invalid_json, which names the key.
Result<Event> event_from_json(std::string_view text);
// "SIGKILL" for 9; "SIG34" for a signal without a name.
std::string signal_name(int signal);
// The members code, signal and oom of an exit, null where unset.
void write_exit(JsonWriter& json, std::optional<int> code, std::optional<int> signal, std::optional<bool> oom);
// Number for "SIGTERM" or "TERM"; nullopt when unknown.
std::optional<int> signal_number(std::string_view name);

}  // namespace azora
