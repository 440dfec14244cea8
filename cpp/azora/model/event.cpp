#include "azora/model/event.hpp"

#include <array>

#include "azora/model/iso_time.hpp"
#include "azora/model/json_writer.hpp"

namespace azora {
namespace {

// In enum order.
constexpr std::array<std::string_view, kEventTypeCount> kNames = {
    "healthCheck",     "serviceRegistered", "serviceUnregistered",
    "serviceHealthy",  "serviceDegraded",   "serviceUnhealthy",
    "serviceStarted",  "serviceStopped",    "serviceExited",
    "serviceBlocked",  "serviceRestarted",  "serviceFailed",
    "serviceFlapping", "serviceStuck",      "healingUnavailable",
    "massUnhealthy",   "callbackFailed",    "orchestratorDegraded",
    "orchestratorRecovered", "gap"};

void integer_if_set(JsonWriter& json, std::string_view key, const auto& value) {
  if (!value) return;
  json.key(key);
  json.integer(*value);
}

void write_detail(JsonWriter& json, const Event& event, const EventDetail& detail) {
  integer_if_set(json, "attempt", detail.attempt);
  integer_if_set(json, "maxRestarts", detail.max_restarts);
  integer_if_set(json, "downtimeMs", detail.downtime_ms);
  integer_if_set(json, "pid", detail.pid);
  if (detail.has_exit) write_exit(json, detail.code, detail.signal, detail.oom);
  if (detail.has_gap) {
    json.key("fromSeq");
    json.integer(static_cast<std::int64_t>(detail.gap_from));
    json.key("toSeq");
    json.integer(static_cast<std::int64_t>(detail.gap_to));
    json.key("count");
    json.integer(static_cast<std::int64_t>(detail.gap_count));
  }
  if (!detail.blocked_by.empty() || event.type == EventType::service_blocked) {
    json.key("blockedBy");
    json.begin_array();
    for (const std::string& id : detail.blocked_by) json.string(id);
    json.end_array();
  }
  if (!detail.reason.empty()) {
    json.key("reason");
    json.string(detail.reason);
  }
}

}  // namespace

void write_exit(JsonWriter& json, std::optional<int> code, std::optional<int> signal, std::optional<bool> oom) {
  json.key("code");
  code ? json.integer(*code) : json.null();
  json.key("signal");
  signal ? json.string(signal_name(*signal)) : json.null();
  json.key("oom");
  oom ? json.boolean(*oom) : json.null();
}

std::string_view wire_name(EventType type) { return kNames[static_cast<std::size_t>(type)]; }

std::optional<EventType> event_type_from_wire(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<EventType>(i);
  }
  return std::nullopt;
}

std::string event_json(const Event& event) {
  std::string out;
  out.reserve(192);
  JsonWriter json(out);
  json.begin_object();
  json.key("seq");
  json.integer(static_cast<std::int64_t>(event.seq));
  json.key("time");
  json.string(iso_time(event.time));
  json.key("type");
  json.string(wire_name(event.type));
  json.key("serviceId");
  event.service_id ? json.string(*event.service_id) : json.null();
  json.key("incarnation");
  json.integer(static_cast<std::int64_t>(event.incarnation));
  json.key("cause");
  event.cause.empty() ? json.null() : json.string(event.cause);
  if (!event.actor.empty()) {
    json.key("actor");
    json.string(event.actor);
  }
  if (event.type == EventType::health_check) {
    json.key("status");
    json.string(wire_name(event.check_status));
    json.key("responseTime");
    json.integer(event.response_ms);
  }
  if (event.detail) write_detail(json, event, *event.detail);
  json.end_object();
  return out;
}

}  // namespace azora
