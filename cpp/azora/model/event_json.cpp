// An event as JSON, and back. The keys are listed twice, in the order of the wire and by name; the tests convert every
// type of event in both directions.
#include <charconv>
#include <limits>
#include <utility>

#include "azora/model/event.hpp"
#include "azora/model/iso_time.hpp"
#include "azora/model/json_reader.hpp"
#include "azora/model/json_writer.hpp"

namespace azora {
namespace {

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

// Reads the keys of one event; the first wrong key is the fault.
class EventReader {
 public:
  explicit EventReader(const Json& json) : json_(json) {}

  Result<Event> read() {
    Event event;
    event.seq = required<std::uint64_t>("seq");
    event.time = time();
    event.type = type();
    if (const Json* id = value("serviceId"); id != nullptr) {
      event.service_id = std::make_shared<const std::string>(string(*id, "serviceId"));
    }
    event.incarnation = required<std::uint64_t>("incarnation");
    event.cause = word<EventCause>("cause");
    event.actor = word<EventActor>("actor");
    if (event.type == EventType::health_check) {
      event.check_status = status();
      event.response_ms = required<std::int32_t>("responseTime");
    }
    event.detail = detail(event.type);
    if (!fault_.empty()) return Error{ErrorCode::invalid_json, "event: " + fault_, {}};
    return event;
  }

 private:
  // Null also for null.
  const Json* value(std::string_view key) const {
    const Json* found = json_.find(key);
    return found == nullptr || found->is(Json::Kind::null) ? nullptr : found;
  }
  void fail(std::string_view key, std::string_view what) {
    if (fault_.empty()) fault_ = std::string(key) + " " + std::string(what);
  }
  const std::string& string(const Json& json, std::string_view key) {
    static const std::string kNone;
    if (json.is(Json::Kind::string)) return json.text;
    fail(key, "is not a string");
    return kNone;
  }
  template <typename Number>
  std::optional<Number> integer(std::string_view key) {
    const Json* found = value(key);
    if (found == nullptr) return std::nullopt;
    const std::optional<std::int64_t> read = found->is(Json::Kind::number) ? found->integer() : std::nullopt;
    if (read && std::in_range<Number>(*read)) return static_cast<Number>(*read);
    fail(key, "is not an integer of its range");
    return std::nullopt;
  }
  template <typename Number>
  Number required(std::string_view key) {
    if (value(key) == nullptr) fail(key, "is missing");
    return integer<Number>(key).value_or(0);
  }
  WallTime time() {
    const Json* found = value("time");
    const auto read = found == nullptr ? std::nullopt : wall_time_from_iso(string(*found, "time"));
    if (!read) fail("time", "is not a time");
    return read.value_or(WallTime{});
  }
  EventType type() {
    const Json* found = value("type");
    const auto read = found == nullptr ? std::nullopt : event_type_from_wire(string(*found, "type"));
    if (!read) fail("type", "is not an event");
    return read.value_or(EventType::gap);
  }
  template <typename Word>
  Word word(std::string_view key) {
    const Json* found = value(key);
    if (found == nullptr) return {};
    const auto read = Word::from_wire(string(*found, key));
    if (!read) fail(key, "is not a known word");
    return read.value_or(Word());
  }
  HealthStatus status() {
    const Json* found = value("status");
    const std::string_view read = found == nullptr ? std::string_view() : std::string_view(string(*found, "status"));
    for (const HealthStatus one :
         {HealthStatus::unknown, HealthStatus::healthy, HealthStatus::degraded, HealthStatus::unhealthy}) {
      if (read == wire_name(one)) return one;
    }
    fail("status", "is not a status");
    return HealthStatus::unknown;
  }
  std::optional<int> signal_number_of() {
    const Json* found = value("signal");
    if (found == nullptr) return std::nullopt;
    const std::string& name = string(*found, "signal");
    if (const auto known = signal_number(name)) return known;
    int number = 0;  // "SIG34": a signal without a name
    if (name.starts_with("SIG")) {
      const auto [end, error] = std::from_chars(name.data() + 3, name.data() + name.size(), number);
      if (error == std::errc{} && end == name.data() + name.size()) return number;
    }
    fail("signal", "is not a signal");
    return std::nullopt;
  }
  std::optional<bool> boolean(std::string_view key) {
    const Json* found = value(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is(Json::Kind::boolean)) fail(key, "is not true or false");
    return found->boolean;
  }
  std::vector<std::string> strings(std::string_view key) {
    std::vector<std::string> out;
    const Json* found = value(key);
    if (found == nullptr) return out;
    if (!found->is(Json::Kind::array)) fail(key, "is not a list");
    for (const Json& item : found->items) out.push_back(string(item, key));
    return out;
  }
  bool has_any(std::initializer_list<std::string_view> keys) const {
    for (const std::string_view key : keys) {
      if (json_.find(key) != nullptr) return true;
    }
    return false;
  }

  std::unique_ptr<const EventDetail> detail(EventType type) {
    const bool exit = has_any({"code", "signal", "oom"});
    const bool gap = type == EventType::gap;
    if (!exit && !gap && !has_any({"attempt", "maxRestarts", "downtimeMs", "pid", "blockedBy", "reason"})) {
      return nullptr;
    }
    auto detail = std::make_unique<EventDetail>();
    detail->attempt = integer<int>("attempt");
    detail->max_restarts = integer<int>("maxRestarts");
    detail->downtime_ms = integer<std::int64_t>("downtimeMs");
    detail->pid = integer<int>("pid");
    detail->has_exit = exit;
    if (exit) {
      detail->code = integer<int>("code");
      detail->signal = signal_number_of();
      detail->oom = boolean("oom");
    }
    detail->blocked_by = strings("blockedBy");
    detail->has_gap = gap;
    if (gap) {
      detail->gap_from = required<std::uint64_t>("fromSeq");
      detail->gap_to = required<std::uint64_t>("toSeq");
      detail->gap_count = required<std::uint64_t>("count");
    }
    if (const Json* reason = value("reason"); reason != nullptr) detail->reason = string(*reason, "reason");
    return detail;
  }

  const Json& json_;
  std::string fault_;
};

}  // namespace

void write_exit(JsonWriter& json, std::optional<int> code, std::optional<int> signal, std::optional<bool> oom) {
  json.key("code");
  code ? json.integer(*code) : json.null();
  json.key("signal");
  signal ? json.string(signal_name(*signal)) : json.null();
  json.key("oom");
  oom ? json.boolean(*oom) : json.null();
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

Result<Event> event_from_json(std::string_view text) {
  const Result<Json> json = read_json(text);
  if (!json) return json.error();
  return EventReader(json.value()).read();
}

}  // namespace azora
