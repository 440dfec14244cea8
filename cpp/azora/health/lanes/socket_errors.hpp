#pragma once
// What an error of a socket call means for a check: in words, and whether it says anything about the service.
// Threads: any (pure).
#include <string>

namespace azora::health {

// We could not even ask: descriptors, ports or memory of ours are short.
bool is_shortage(int error);
std::string socket_error_words(int error);

}  // namespace azora::health
