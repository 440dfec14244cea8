#include "azora/model/json_value.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "azora/model/json_writer.hpp"

namespace azora {
namespace {

void write(JsonWriter& json, const Json& value) {
  switch (value.kind) {
    case Json::Kind::null: json.null(); return;
    case Json::Kind::boolean: json.boolean(value.boolean); return;
    case Json::Kind::number: json.raw(value.text); return;
    case Json::Kind::string: json.string(value.text); return;
    case Json::Kind::array:
      json.begin_array();
      for (const Json& item : value.items) write(json, item);
      json.end_array();
      return;
    case Json::Kind::object:
      json.begin_object();
      for (const JsonMember& member : value.members) {
        json.text_key(member.key);
        write(json, member.value);
      }
      json.end_object();
      return;
  }
}

}  // namespace

const Json* Json::find(std::string_view key) const {
  for (const JsonMember& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

std::optional<std::int64_t> Json::integer() const {
  if (kind != Kind::number) return std::nullopt;
  std::int64_t whole = 0;
  const char* last = text.data() + text.size();
  if (const auto [end, fault] = std::from_chars(text.data(), last, whole);
      fault == std::errc{} && end == last) {
    return whole;
  }
  const double value = number();
  constexpr double kExact = 9007199254740992.0;  // 2^53: a double above it may stand for several integers
  if (std::floor(value) != value || std::fabs(value) > kExact) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

double Json::number() const {
  double value = 0;
  if (kind != Kind::number) return value;
  const auto fault = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  return fault == std::errc{} ? value : std::numeric_limits<double>::quiet_NaN();
}

Json Json::of_text(std::string value) {
  Json json;
  json.kind = Kind::string;
  json.text = std::move(value);
  return json;
}

Json Json::of_integer(std::int64_t value) {
  Json json;
  json.kind = Kind::number;
  json.text = std::to_string(value);
  return json;
}

bool operator==(const Json& a, const Json& b) {
  return a.kind == b.kind && a.boolean == b.boolean && a.text == b.text && a.items == b.items &&
         a.members == b.members;
}

void append_json(std::string& out, const Json& value) {
  JsonWriter json(out);
  write(json, value);
}

std::string json_text(const Json& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace azora
