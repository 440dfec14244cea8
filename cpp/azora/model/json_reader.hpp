#pragma once
// Strict JSON (RFC 8259 and R46b): nlohmann's parser, and what it lets pass refused: no duplicate keys, no
// numbers beyond 64-bit integers and finite doubles, no nesting beyond 32. No lone surrogates, nothing after the
// value; a BOM is ignored. Threads: any; a pure function. Cost: linear in the text whatever it says (bodies are
// hostile). Fails: invalid_json, "line 3, column 7: the key "id" appears twice in one object".
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/model/json_value.hpp"

namespace azora {

inline constexpr int kMaxJsonDepth = 32;

Result<Json> read_json(std::string_view text);

}  // namespace azora
