#pragma once
// What the system calls an error, for people. Threads: any; no state.
#include <string>
#include <system_error>

namespace azora::keeper {

inline std::string system_words(int error) { return std::generic_category().message(error); }

// Why lines of output were lost: LogLoss::error.
inline std::string loss_words(int error) { return error == 0 ? "the disk was too slow" : system_words(error); }

}  // namespace azora::keeper
