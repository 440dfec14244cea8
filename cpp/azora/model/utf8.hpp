#pragma once
// UTF-8 as far as we need it: tests whether the next character is well formed, and writes a character.
// Threads: any; pure functions.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace azora {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the first character of `text`; 0 when it is not well formed (overlong, surrogate, cut
// short, above U+10FFFF) or `text` is empty.
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);
void append_utf8(std::string& out, std::uint32_t code_point);
// The longest prefix of `text` of at most `bytes` bytes that does not cut a character in two.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

}  // namespace azora
