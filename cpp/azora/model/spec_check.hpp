#pragma once
// Checks the members of one JSON object against the field table, and gives access to the correct ones. Used only by the
// validator's parts (spec_*.cpp). Threads: any; state is the caller's. Fails: adds to SpecContext::faults. A faulty
// member then reads as absent, so that each mistake is reported once.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/error.hpp"
#include "azora/base/time.hpp"
#include "azora/model/json_value.hpp"
#include "azora/model/spec_fields.hpp"

namespace azora {

struct SpecContext {
  bool units = false;         // "30s" and "10MiB" are accepted besides integers
  bool keep_unknown = false;  // unknown keys of the service itself are kept, not refused
  std::string prefix;         // put before every field: "services[3]." in a list of services
  std::vector<Fault> faults;
  std::size_t untold = 0;  // faults beyond kMaxFaults

  static constexpr std::size_t kMaxFaults =
      100;  // a hostile input does not get an answer longer than itself
  bool full() const { return faults.size() >= kMaxFaults; }
  void fault(const std::string& field, std::string message);
};

// `5`, `"abc"`, `null`, `a list`, `an object`: a value as faults show it, cut to a readable length.
std::string shown(const Json& value);
// `a number`, `a text`, ...: for values that must not be repeated (they may be secrets).
std::string_view kind_name(const Json& value);
// `is 5; it must be <rule>`, and for null `is null; leave it out or give <rule>` (`needed`: it must not be left out).
std::string is_but_must_be(const Json& value, std::string_view rule, bool needed = false);
// "process" + "argv" -> "process.argv"; odd keys are quoted.
std::string join_path(std::string_view path, std::string_view key);
std::string index_path(std::string_view path, std::size_t index);  // "dependencies[2]"

class CheckedObject {
 public:
  // `object` must outlive this and be a JSON object.
  CheckedObject(Section section, const Json& object, std::string path, SpecContext& context);

  bool given(std::string_view name) const;   // present, right or wrong
  bool faulty(std::string_view name) const;  // present and wrong
  const Json* get(std::string_view name) const;

  std::optional<std::int64_t> integer(std::string_view name) const;  // ms and bytes too
  std::optional<Millis> millis(std::string_view name) const;
  int integer_or(std::string_view name, int fallback) const;
  std::optional<double> number(std::string_view name) const;
  std::string text_or(std::string_view name, std::string fallback) const;
  std::string path_of(std::string_view name) const { return join_path(path_, name); }
  // Adds a fault about a member that other code found, beyond the table. From now on the member reads as absent.
  void fault(std::string_view name, std::string message);

 private:
  struct Entry {
    const FieldRow* row;
    const Json* value;
    bool good;
    std::int64_t measure;  // of numbers, durations and sizes
  };
  const Entry* entry(std::string_view name) const;
  void check(Entry& entry);

  std::string path_;
  SpecContext& context_;
  std::vector<Entry> entries_;
};

}  // namespace azora
