#include "azora/model/event_fields.hpp"

#include <array>

namespace azora {
namespace {

using enum EventType;

constexpr std::array<EventRow, kEventTypeCount> kRows = {{
    {health_check, "A health check was counted.", "status responseTime", "reason"},
    {service_registered, "A service was registered, or replaced by a new registration of its id."},
    {service_unregistered, "A service was removed."},
    {service_healthy, "The status of a service became healthy."},
    {service_degraded, "The status of a service became degraded: it responds, but not as expected.", "", "reason"},
    {service_unhealthy, "The status of a service became unhealthy.", "", "reason"},
    {service_started, "A process of a service was spawned.", "pid", "reason"},
    {service_stopped, "A planned stop is complete: every process of the service has ended."},
    {service_exited, "The main process of a service ended, planned or not.", "pid code signal oom", "reason"},
    {service_blocked, "A service waits for dependencies before it can start.", "blockedBy"},
    {service_restarted, "A restart succeeded: the new incarnation passed its check.", "attempt maxRestarts downtimeMs"},
    {service_failed, "The restart budget of a service is used up.", "attempt maxRestarts", "reason"},
    {service_flapping, "A service had more restarts after failures within an hour than its flap limit."},
    {service_stuck, "SIGKILL did not end a process of the service within its kill timeout."},
    {healing_unavailable, "An unhealthy service has only a URL, so Azora cannot restart it.", "reason"},
    {mass_unhealthy, "So many services turned bad at once that failed checks restart none of them for now.", "reason", "",
     false},
    {callback_failed, "A handler or a restart callable raised an exception.", "reason", "", false},
    {orchestrator_degraded, "Something is wrong with the orchestrator itself.", "reason", "", false},
    {orchestrator_recovered, "The orchestrator itself works normally again.", "", "", false},
    {service_draining, "A service left rotation for a drain, which waits for its leases.", "reason"},
    {service_drained, "A drain is over: its leases are back, or its time is over.", "reason"},
    {service_undrained, "A drain was undone: the service is back in rotation as far as its checks allow."},
    {maintenance_began, "Maintenance of a service began: it is out of rotation, and nothing is done about it.", "reason"},
    {maintenance_ended, "Maintenance of a service ended, by its owner or by time."},
    {gap, "Events were lost: the reader was too slow, or asked for a position that is not in the log.",
     "fromSeq toSeq count", "reason", false},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].type != static_cast<EventType>(i) || kRows[i].doc.empty()) return false;
  }
  return true;
}
static_assert(in_order(), "every event has one row, in the order of EventType");

constexpr auto kKeys = std::to_array<EventKeyRow>({
    {"seq", "integer", false, true, "Position in the sequence, from 1 and without gaps."},
    {"time", "time", false, true, "When it happened, UTC."},
    {"type", "string", false, true, "Name of the event."},
    {"serviceId", "string", true, true, "Id of the service, or none for an event of the whole fleet."},
    {"incarnation", "integer", false, true, "Number of the service's process, from 1; 0: it has none."},
    {"cause", "string", true, true, "Why it happened, as one word."},
    {"actor", "string", true, true, "What caused it: orchestrator, rest, python or file."},
    {"status", "string", false, false, "Status of the service after this check."},
    {"responseTime", "integer", false, false, "Duration of the check in ms."},
    {"attempt", "integer", false, false, "Number of the restart attempt within this episode, from 1."},
    {"maxRestarts", "integer", false, false, "Restart budget of one episode; -1: no limit."},
    {"downtimeMs", "integer", false, false, "How long the service was down, in ms."},
    {"pid", "integer", true, false, "Id of the main process."},
    {"code", "integer", true, false, "Exit code, or none when a signal ended the process."},
    {"signal", "string", true, false, "Name of the signal that ended the process, such as SIGKILL, or none."},
    {"oom", "boolean", true, false, "Whether the process was killed for lack of memory; none: unknown."},
    {"fromSeq", "integer", false, false, "First sequence number that was lost."},
    {"toSeq", "integer", false, false, "Last sequence number that was lost."},
    {"count", "integer", false, false, "Number of events that were lost."},
    {"blockedBy", "strings", false, false, "Ids of the dependencies that it waits for."},
    {"reason", "string", false, false, "Human-readable explanation."},
});

}  // namespace

std::span<const EventRow> event_rows() { return kRows; }
std::span<const EventKeyRow> event_key_rows() { return kKeys; }

}  // namespace azora
