#pragma once
// Strict JSON (RFC 8259 and R46b): nlohmann's parser, plus checks for what it accepts. Refused are duplicate keys,
// numbers beyond 64-bit integers and finite doubles, nesting beyond 32, lone surrogates and anything after the value; a
// BOM is ignored. Threads: any; a pure function. Cost: linear in the text, whatever it contains (bodies are hostile).
// Fails: invalid_json, "line 3, column 7: the key "id" appears twice in one object".
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/json_value.hpp"

namespace azora {

inline constexpr int kMaxJsonDepth = 32;

// A number that is beyond 64-bit integers and finite doubles.
struct WideNumber {
  std::string path;     // "healthCheck.timeout", "dependencies[2].min"; "": it is the whole text
  std::string number;   // as written, shortened
  std::string problem;  // "line 1, column 7: the number 1e999 is out of range"
};

Result<Json> read_json(std::string_view text);
// The same, but such numbers are in the tree as they were written, and listed, so that one who checks its fields can
// name every fault at once. After 64 of them, or 16 that no double can hold, the next one fails: each costs time.
Result<Json> read_json(std::string_view text, std::vector<WideNumber>& wide);

}  // namespace azora
