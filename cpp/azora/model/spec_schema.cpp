#include <algorithm>

#include "azora/model/json_writer.hpp"
#include "azora/model/spec_fields.hpp"
#include "azora/model/spec_parser.hpp"

namespace azora {
namespace {

void write_section(JsonWriter& json, Section section, Origin origin);

void write_limits(JsonWriter& json, const FieldRow& row) {
  json.key("minimum");
  json.integer(row.min);
  json.key("maximum");
  json.integer(row.max);
}

void write_type(JsonWriter& json, std::string_view type) {
  json.key("type");
  json.string(type);
}

// An integer, or (in config files) a string with a unit.
void write_measure(JsonWriter& json, const FieldRow& row, Origin origin, std::string_view pattern) {
  if (origin == Origin::rest) {
    write_type(json, "integer");
    return write_limits(json, row);
  }
  json.key("anyOf");
  json.begin_array();
  json.begin_object();
  write_type(json, "integer");
  write_limits(json, row);
  json.end_object();
  json.begin_object();
  write_type(json, "string");
  json.key("pattern");
  json.string(pattern);
  json.end_object();
  json.end_array();
}

void write_choices(JsonWriter& json, std::string_view choices) {
  json.key("enum");
  json.begin_array();
  while (!choices.empty()) {
    const std::size_t end = std::min(choices.find(' '), choices.size());
    json.string(choices.substr(0, end));
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  json.end_array();
}

void write_dependencies(JsonWriter& json, Origin origin) {
  write_type(json, "array");
  json.key("maxItems");
  json.integer(static_cast<std::int64_t>(kMaxDependencies));
  json.key("items");
  json.begin_object();
  json.key("anyOf");
  json.begin_array();
  json.begin_object();
  write_type(json, "string");
  json.end_object();
  json.begin_object();
  write_section(json, Section::dependency, origin);
  json.end_object();
  json.end_array();
  json.end_object();
}

void write_restart(JsonWriter& json, Origin origin) {
  json.key("anyOf");
  json.begin_array();
  json.begin_object();
  json.key("const");
  json.string("process");
  json.end_object();
  json.begin_object();
  write_section(json, Section::restart, origin);
  json.end_object();
  json.end_array();
}

void write_kind(JsonWriter& json, const FieldRow& row, Origin origin) {
  switch (row.kind) {
    case FieldKind::word:
      write_type(json, "string");
      json.key("pattern");
      return json.string("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$");
    case FieldKind::text:
      write_type(json, "string");
      json.key("minLength");
      json.integer(1);
      json.key("maxLength");
      return json.integer(row.max);
    case FieldKind::integer: write_type(json, "integer"); return write_limits(json, row);
    case FieldKind::number: write_type(json, "number"); return write_limits(json, row);
    case FieldKind::boolean: return write_type(json, "boolean");
    case FieldKind::duration:
      return write_measure(json, row, origin, "^[0-9]+(\\.[0-9]+)? ?(ms|s|m|min|h)$");
    case FieldKind::bytes:
      return write_measure(json, row, origin,
                           "^[0-9]+(\\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB|kB|MB|GB)?$");
    case FieldKind::choice: return write_choices(json, row.choices);
    case FieldKind::object: return write_type(json, "object");
    case FieldKind::list: return write_type(json, "array");
    case FieldKind::other: return;
  }
}

void write_field(JsonWriter& json, const FieldRow& row, Origin origin) {
  json.begin_object();
  json.key("description");
  json.string(row.doc);
  if (!row.default_json.empty()) {
    json.key("default");
    json.raw(row.default_json);
  }
  const bool top = row.section == Section::service;
  if (top && row.name == "dependencies") {
    write_dependencies(json, origin);
  } else if (top && row.name == "restart") {
    write_restart(json, origin);
  } else if (top && row.name == "healthCheck") {
    write_section(json, Section::health_check, origin);
  } else if (top && row.name == "process") {
    write_section(json, Section::process, origin);
  } else if (row.section == Section::process && row.name == "log") {
    write_section(json, Section::log, origin);
  } else if (!row.schema.empty()) {
    json.members(row.schema);
  } else {
    write_kind(json, row, origin);
  }
  json.end_object();
}

// Fields that a request may not carry (R29).
bool is_open_to(const FieldRow& row, Origin origin) {
  const bool runs =
      row.section == Section::service && (row.name == "process" || row.name == "restart");
  return row.available && !(origin == Origin::rest && runs);
}

void write_section(JsonWriter& json, Section section, Origin origin) {
  write_type(json, "object");
  json.key("required");
  json.begin_array();
  for (const FieldRow& row : fields_of(section)) {
    if (row.required) json.string(row.name);
  }
  json.end_array();
  json.key("properties");
  json.begin_object();
  for (const FieldRow& row : fields_of(section)) {
    if (!is_open_to(row, origin)) continue;
    json.key(row.name);
    write_field(json, row, origin);
  }
  json.end_object();
  json.key("additionalProperties");
  json.boolean(section == Section::service && origin == Origin::rest);
}

}  // namespace

std::string service_json_schema(Origin origin) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("$schema");
  json.string("https://json-schema.org/draft/2020-12/schema");
  json.key("title");
  json.string("Service");
  write_section(json, Section::service, origin);
  json.end_object();
  return text;
}

std::string service_json_schema() { return service_json_schema(Origin::file); }

}  // namespace azora
