#include "azora/model/spec_echo.hpp"

#include <algorithm>
#include <array>

#include "azora/model/json_writer.hpp"
#include "azora/model/spec_fields.hpp"
#include "azora/model/units.hpp"

namespace azora {
namespace {

constexpr std::string_view kMask = "***";

bool is_secret_header(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::array<std::string_view, 6> kSigns = {"auth", "cookie", "token",
                                                      "key",  "secret", "pass"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return lower.find(sign) != std::string::npos; });
}

void write_value(JsonWriter& json, const Json& value) { json.raw(json_text(value)); }

void write_masked(JsonWriter& json, const Json& map, bool (*is_secret)(std::string_view)) {
  json.begin_object();
  for (const auto& [name, value] : map.members) {
    json.text_key(name);
    is_secret(name) ? json.string(kMask) : write_value(json, value);
  }
  json.end_object();
}

void write_section(JsonWriter& json, Section section, const Json& object);

void write_member(JsonWriter& json, Section section, const JsonMember& member) {
  const auto& [key, value] = member;
  json.text_key(key);
  const FieldRow* row = find_field(section, key);
  if (row && value.is(Json::Kind::string)) {
    const auto measure = row->kind == FieldKind::duration ? parse_duration_ms(value.text)
                         : row->kind == FieldKind::bytes  ? parse_bytes(value.text)
                                                          : std::nullopt;
    if (measure) return json.integer(*measure);
  }
  if (value.is(Json::Kind::object)) {
    if (section == Section::service && key == "healthCheck") {
      return write_section(json, Section::health_check, value);
    }
    if (section == Section::service && key == "process") {
      return write_section(json, Section::process, value);
    }
    if (section == Section::process && key == "log")
      return write_section(json, Section::log, value);
    if (section == Section::process && key == "env") {
      return write_masked(json, value, [](std::string_view) { return true; });
    }
    if (section == Section::health_check && key == "headers") {
      return write_masked(json, value, is_secret_header);
    }
  }
  write_value(json, value);
}

void write_section(JsonWriter& json, Section section, const Json& object) {
  json.begin_object();
  for (const JsonMember& member : object.members) write_member(json, section, member);
  json.end_object();
}

// The first key of the common part follows.
void write_identity(JsonWriter& json, const ServiceSpec& spec) {
  json.key("id");
  json.string(spec.id);
  json.key("name");
  json.string(spec.name());
  json.key("type");
  json.string(*spec.type);
  json.key("endpoint");
  spec.endpoint ? json.string(spec.endpoint->text) : json.null();
}

void write_numbers(JsonWriter& json, const Json& given, const ServiceSpec& spec) {
  const Json* path = given.find("healthCheckPath");
  json.key("healthCheckPath");
  json.string(path ? path->text : *ProbeTarget{}.path);
  json.key("healthCheckInterval");
  json.integer(spec.probe->interval.count());
  json.key("maxRestarts");
  json.integer(spec.restart->max_restarts);
  if (spec.restart->delay) {
    json.key("restartDelay");
    json.integer(spec.restart->delay->count());
  }
  json.key("priority");
  json.integer(spec.priority);
}

void write_lists(JsonWriter& json, const Json& given) {
  const Json* dependencies = given.find("dependencies");
  json.key("dependencies");
  dependencies ? write_value(json, *dependencies) : json.raw("[]");
  if (const Json* metadata = given.find("metadata")) {
    json.key("metadata");
    write_value(json, *metadata);
  }
}

}  // namespace

ConfigText echo_config(const Json& given, const ServiceSpec& spec) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_identity(json, spec);
  const std::size_t begin = text.size();
  write_numbers(json, given, spec);
  const std::size_t end = text.size();
  write_lists(json, given);
  for (const JsonMember& member : given.members) {
    const FieldRow* row = find_field(Section::service, member.key);
    if (!row || !row->seed) write_member(json, Section::service, member);
  }
  // The shared group of the replicas of one entry is not shown anywhere else.
  if (spec.group() != spec.id && !given.find("group")) {
    json.key("group");
    json.string(spec.group());
  }
  json.end_object();
  ConfigText config;
  config.common = text.substr(begin, end - begin);
  config.at = static_cast<std::uint32_t>(begin);
  text.erase(begin, end - begin);
  config.own = std::string(text);  // no longer than needed: it lives as long as the service
  return config;
}

}  // namespace azora
