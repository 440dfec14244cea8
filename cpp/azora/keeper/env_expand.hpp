#pragma once
// `process.envExpand`: $NAME and ${NAME} in the values of an environment file. Each is replaced by the value that the
// variable has at that line: from what the service inherits, or from a line above. A variable that is not set is
// empty, as in a shell; a '$' without a name stays. Also compiled into the static program: no allocation.
// Threads: the caller's. Fails: kNoRoom.
#include <cstddef>

#include "azora/keeper/env_file.hpp"

namespace azora::keeper {

// The value of a variable; nullptr: it is not set.
struct EnvLookup {
  const char* (*find)(const void* context, const char* name, std::size_t size);
  const void* context;
};

inline constexpr std::size_t kNoRoom = static_cast<std::size_t>(-1);

// Writes a line that was read with marks to `out`, NUL-terminated; returns its size without the NUL.
std::size_t expand_env(const EnvLine& line, EnvLookup lookup, char* out, std::size_t room);

}  // namespace azora::keeper
