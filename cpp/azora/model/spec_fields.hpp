#pragma once
// The table of every field a service can have (R32): its JSON kind, its limits, its default and its meaning. The
// validator uses it to check fields and to recognise unknown keys, and the JSON Schema is made from it. Threads: any;
// constant data.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace azora {

// The JSON objects that have fields of ours. Order of the table.
enum class Section : std::uint8_t { service, health_check, process, log, dependency, restart };

enum class FieldKind : std::uint8_t {
  word,     // a string in the form of an id
  text,     // any other string: 1 to max characters, none of them a control character
  integer,  // min to max
  number,   // min to max
  boolean,
  duration,  // integer ms; config files and Python also "30s"
  bytes,     // integer; config files and Python also "10MiB"
  choice,    // one of `choices`, separated by spaces
  object,
  list,
  other,  // read by code of its own, which also reports its faults
};

inline constexpr std::size_t kMaxDependencies = 64;  // of one service
inline constexpr std::size_t kMaxUrl = 2048;         // characters of an endpoint or a path
inline constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();

struct FieldRow {
  Section section = Section::service;
  std::string_view name = {};
  FieldKind kind = FieldKind::other;
  std::int64_t min = 0;
  std::int64_t max = kMaxInt32;
  std::string_view rule = {};  // after "it must be"; empty: made from kind and limits
  std::string_view choices = {};
  std::string_view later_choices = {};  // known words that are refused by name (R30)
  std::string_view default_json = {};   // empty: none, or derived as `doc` says
  std::string_view doc = {};
  std::string_view schema = {};  // JSON Schema of the value where kind and limits do not say enough
  bool required = false;
  bool seed = false;      // one of the seed's keys
  bool available = true;  // false: known, refused by name (R30)
};

std::span<const FieldRow> all_fields();
std::span<const FieldRow> fields_of(Section section);
const FieldRow* find_field(Section section, std::string_view name);
// "healthCheck" and so on: the key of the section in a service; "" for the service itself.
std::string_view section_path(Section section);

// What the value must be, in words: "an integer of at least 100 (milliseconds)". `units`: strings such as "30s" are
// accepted, too.
std::string rule_text(const FieldRow& row, bool units);

// The form of `id`, `type` and `group`: [A-Za-z0-9][A-Za-z0-9._-]{0,62}
bool is_word(std::string_view text);

}  // namespace azora
