#include "azora/model/spec_check.hpp"

#include <algorithm>
#include <cmath>

#include "azora/model/json_writer.hpp"
#include "azora/model/spec_suggest.hpp"
#include "azora/model/units.hpp"
#include "azora/model/utf8.hpp"

namespace azora {
namespace {

constexpr std::size_t kShownBytes = 80;  // keeps a fault on one readable line

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

bool is_plain_text(std::string_view text, std::int64_t max) {
  return !text.empty() && count_characters(text) <= static_cast<std::size_t>(max) &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool has_word(std::string_view words, std::string_view word) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  for (std::size_t at = words.find(word); at != std::string_view::npos;
       at = words.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' '))
      return true;
  }
  return false;
}

// The value of an integer, a duration or a size; nullopt for anything else.
std::optional<std::int64_t> measure_of(const FieldRow& row, const Json& value, bool units) {
  if (value.is(Json::Kind::number)) return value.integer();
  if (!units || !value.is(Json::Kind::string)) return std::nullopt;
  if (row.kind == FieldKind::duration) return parse_duration_ms(value.text);
  if (row.kind == FieldKind::bytes) return parse_bytes(value.text);
  return std::nullopt;
}

// For a number that is too large, names the upper limit instead of the lower one.
std::string rule_for(const FieldRow& row, const Json& value, bool units) {
  const auto measure = measure_of(row, value, units);
  const bool too_large =
      value.is(Json::Kind::number) && (measure ? *measure > row.max : value.number() > 1e15);
  if (!too_large || row.max != kMaxInt32) return rule_text(row, units);
  const std::string_view unit = row.kind == FieldKind::duration ? " (milliseconds)" : "";
  return "an integer of at most " + std::to_string(row.max) + std::string(unit);
}

}  // namespace

void SpecContext::fault(const std::string& field, std::string message) {
  if (full()) {
    ++untold;
    return;
  }
  faults.push_back({prefix + field, std::move(message)});
}

std::string_view kind_name(const Json& value) {
  switch (value.kind) {
    case Json::Kind::null: return "null";
    case Json::Kind::boolean: return value.boolean ? "true" : "false";
    case Json::Kind::number: return "a number";
    case Json::Kind::string: return "a string";
    case Json::Kind::array: return "a list";
    case Json::Kind::object: return "an object";
  }
  return "a value";
}

std::string shown(const Json& value) {
  if (value.is(Json::Kind::array)) return "a list";
  if (value.is(Json::Kind::object)) return "an object";
  if (!value.is(Json::Kind::string)) {
    const std::string text = json_text(value);
    return text.size() <= kShownBytes ? text : text.substr(0, kShownBytes) + "...";
  }
  std::string text;
  const std::string_view head = utf8_prefix(value.text, kShownBytes);
  append_json_string(text, head);
  if (head.size() < value.text.size()) text.insert(text.size() - 1, "...");
  return text;
}

std::string is_but_must_be(const Json& value, std::string_view rule, bool needed) {
  if (value.is(Json::Kind::null)) {
    return (needed ? "is null; give " : "is null; leave it out or give ") + std::string(rule);
  }
  return "is " + shown(value) + "; it must be " + std::string(rule);
}

std::string join_path(std::string_view path, std::string_view key) {
  std::string full(path);
  if (!full.empty()) full += '.';
  const auto plain = [](char c) { return c > 0x20 && c != 0x7F && c != '"' && c != '.'; };
  if (!key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), plain)) {
    return full += key;
  }
  return full += shown(Json::of_text(std::string(key)));
}

std::string index_path(std::string_view path, std::size_t index) {
  return std::string(path) + "[" + std::to_string(index) + "]";
}

CheckedObject::CheckedObject(Section section, const Json& object, std::string path,
                             SpecContext& context)
    : path_(std::move(path)), context_(context) {
  entries_.reserve(object.members.size());
  for (const JsonMember& member : object.members) {
    if (const FieldRow* row = find_field(section, member.key)) {
      check(entries_.emplace_back(Entry{row, &member.value, true, 0}));
    } else if (!context.keep_unknown || section != Section::service) {
      context.fault(join_path(path_, member.key),
                    context.full() ? "" : unknown_field_message(section, member.key));
    }
  }
  for (const FieldRow& row : fields_of(section)) {
    if (row.required && !entry(row.name)) {
      context.fault(join_path(path_, row.name),
                    "is missing; give " + rule_text(row, context.units));
    }
  }
}

void CheckedObject::check(Entry& entry) {
  const FieldRow& row = *entry.row;
  const Json& value = *entry.value;
  const auto refuse = [&](std::string message) {
    entry.good = false;
    context_.fault(join_path(path_, row.name), std::move(message));
  };
  if (!row.available) return refuse("is not available in this release; leave it out");
  if (row.kind == FieldKind::choice && value.is(Json::Kind::string) &&
      has_word(row.later_choices, value.text)) {
    return refuse("is " + shown(value) + ", which is not available in this release; it must be " +
                  rule_text(row, context_.units));
  }
  bool right = !value.is(Json::Kind::null);
  switch (row.kind) {
    case FieldKind::word: right = value.is(Json::Kind::string) && is_word(value.text); break;
    case FieldKind::text:
      right = value.is(Json::Kind::string) && is_plain_text(value.text, row.max);
      break;
    case FieldKind::boolean: right = value.is(Json::Kind::boolean); break;
    case FieldKind::object: right = value.is(Json::Kind::object); break;
    case FieldKind::list: right = value.is(Json::Kind::array); break;
    case FieldKind::choice:
      right = value.is(Json::Kind::string) && has_word(row.choices, value.text);
      break;
    case FieldKind::number:
      right = value.is(Json::Kind::number) && value.number() >= static_cast<double>(row.min) &&
              value.number() <= static_cast<double>(row.max);
      break;
    case FieldKind::integer:
    case FieldKind::duration:
    case FieldKind::bytes: {
      const auto measure = measure_of(row, value, context_.units);
      right = measure && *measure >= row.min && *measure <= row.max;
      entry.measure = measure.value_or(0);
      break;
    }
    case FieldKind::other: break;
  }
  if (!right) refuse(is_but_must_be(value, rule_for(row, value, context_.units), row.required));
}

const CheckedObject::Entry* CheckedObject::entry(std::string_view name) const {
  const auto at = std::find_if(entries_.begin(), entries_.end(),
                               [&](const Entry& entry) { return entry.row->name == name; });
  return at == entries_.end() ? nullptr : &*at;
}

bool CheckedObject::given(std::string_view name) const { return entry(name) != nullptr; }

bool CheckedObject::faulty(std::string_view name) const {
  const Entry* found = entry(name);
  return found && !found->good;
}

const Json* CheckedObject::get(std::string_view name) const {
  const Entry* found = entry(name);
  return found && found->good ? found->value : nullptr;
}

std::optional<std::int64_t> CheckedObject::integer(std::string_view name) const {
  const Entry* found = entry(name);
  return found && found->good ? std::optional(found->measure) : std::nullopt;
}

std::optional<Millis> CheckedObject::millis(std::string_view name) const {
  const auto value = integer(name);
  return value ? std::optional(Millis{*value}) : std::nullopt;
}

int CheckedObject::integer_or(std::string_view name, int fallback) const {
  return static_cast<int>(integer(name).value_or(fallback));  // limits of integer fields fit an int
}

std::optional<double> CheckedObject::number(std::string_view name) const {
  const Json* value = get(name);
  return value ? std::optional(value->number()) : std::nullopt;
}

std::string CheckedObject::text_or(std::string_view name, std::string fallback) const {
  const Json* value = get(name);
  return value ? value->text : std::move(fallback);
}

void CheckedObject::fault(std::string_view name, std::string message) {
  for (Entry& entry : entries_) {
    if (entry.row->name == name) entry.good = false;
  }
  context_.fault(join_path(path_, name), std::move(message));
}

}  // namespace azora
