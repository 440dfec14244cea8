#pragma once
// {port} and {index} in the strings of a launch (R58): argv, env, cwd and envFile. {{port}} and {{index}} stand for the
// literal {port} and {index}; all other braces are left alone. Threads: any; pure functions. Fails: never.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace azora {

// Without a port, {port} is left as it is.
std::string fill_in(std::string_view text, std::optional<std::uint16_t> port, int index);

// True if fill_in() would put a port into it.
bool uses_port(std::string_view text);

// Escapes a string so that fill_in() returns `text`: for strings that are not the user's, such as the folder of a file.
std::string escaped(std::string_view text);

}  // namespace azora
