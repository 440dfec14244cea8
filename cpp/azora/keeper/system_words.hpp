#pragma once
// What the system calls an error, for people. Threads: any; no state.
#include <string>
#include <system_error>

namespace azora::keeper {

inline std::string system_words(int error) { return std::generic_category().message(error); }

}  // namespace azora::keeper
