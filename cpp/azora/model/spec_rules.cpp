// Makes from a field's row the words that say what the field must be.
#include <algorithm>

#include "azora/model/spec_fields.hpp"

namespace azora {
namespace {

std::string limits(std::string_view what, const FieldRow& row, std::string_view unit) {
  std::string rule(what);
  if (row.max != kMaxInt32) {
    rule += " from " + std::to_string(row.min) + " to " + std::to_string(row.max);
  } else {
    rule += " of at least " + std::to_string(row.min);
  }
  if (!unit.empty()) rule += " (" + std::string(unit) + ")";
  return rule;
}

// "a", "b" or "c"
std::string quoted_choices(std::string_view choices) {
  std::string words;
  while (!choices.empty()) {
    const std::size_t space = std::min(choices.find(' '), choices.size());
    const bool last = space == choices.size();
    if (!words.empty()) words += last ? " or " : ", ";
    words += "\"" + std::string(choices.substr(0, space)) + "\"";
    choices.remove_prefix(last ? space : space + 1);
  }
  return words;
}

}  // namespace

std::string rule_text(const FieldRow& row, bool units) {
  if (!row.rule.empty()) return std::string(row.rule);
  switch (row.kind) {
    case FieldKind::word:
    case FieldKind::text:
      return "a string of 1 to " + std::to_string(row.max) + " characters without control characters";
    case FieldKind::integer: return limits("an integer", row, "");
    case FieldKind::number: return limits("a number", row, "");
    case FieldKind::boolean: return "true or false";
    case FieldKind::duration:
      return limits("an integer", row, "milliseconds") +
             (units ? " or a string such as \"30s\"" : "");
    case FieldKind::bytes:
      return "an integer of at least " + std::to_string(row.min) + " (bytes)" +
             (units ? " or a string such as \"10MiB\"" : "");
    case FieldKind::choice: return quoted_choices(row.choices);
    case FieldKind::object: return "an object";
    case FieldKind::list:
    case FieldKind::other: break;
  }
  return "a valid value";
}

}  // namespace azora
