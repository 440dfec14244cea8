#pragma once
// A JSON text in memory: keys in the order given, numbers as they were written, so that what a user
// registered can be echoed unchanged. Only inputs are held this way; outputs are written directly
// (JsonWriter). Threads: as any value. Fails: never.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace azora {

struct JsonMember;

struct Json {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

  Kind kind = Kind::null;
  bool boolean = false;
  std::string text;                 // string: its characters; number: its digits as written
  std::vector<Json> items;          // array
  std::vector<JsonMember> members;  // object; no key twice

  bool is(Kind wanted) const { return kind == wanted; }
  // The member of that name; null when there is none or this is not an object.
  const Json* find(std::string_view key) const;
  // The value of a number that is integral (5, 5.0, 3e4) and fits; nullopt otherwise.
  std::optional<std::int64_t> integer() const;
  double number() const;  // of a number, NaN if no double can hold it; 0 otherwise

  static Json of_text(std::string value);
  static Json of_integer(std::int64_t value);
  friend bool operator==(const Json&, const Json&);
};

struct JsonMember {
  std::string key;
  Json value;
  friend bool operator==(const JsonMember&, const JsonMember&) = default;
};

void append_json(std::string& out, const Json& value);  // compact
std::string json_text(const Json& value);

}  // namespace azora
