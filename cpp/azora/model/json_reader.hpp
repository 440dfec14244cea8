#pragma once
// Strict JSON (RFC 8259 and R46b): nlohmann's parser, plus checks for what it accepts. Refused are duplicate keys,
// numbers beyond 64-bit integers and finite doubles, nesting beyond 32, lone surrogates and anything after the value; a
// BOM is ignored. Threads: any; a pure function. Cost: linear in the text, whatever it contains (bodies are hostile).
// Fails: invalid_json, "line 3, column 7: the key "id" appears twice in one object". For a number out of range the error
// has a fault with the path and the number: {"healthCheck.timeout", "is 1e999"}.
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/model/json_value.hpp"

namespace azora {

inline constexpr int kMaxJsonDepth = 32;

Result<Json> read_json(std::string_view text);

}  // namespace azora
