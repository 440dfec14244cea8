#pragma once
// The runtime directory: one folder per service, named by its serial, and the keeper's socket.
// Threads: the program has one. Fails: quietly; what is not ours stays.
#include <cstdint>

namespace azora::keeper {

inline constexpr unsigned kPrivateDir = 0700;

// Removes socket and logs in `folder`, and then the folder if that was all: true.
bool remove_service_files(const char* folder);

// Removes the runtime directory when no folder of a service is left in it.
void remove_fleet_dir(const char* path);

// The number of a log file, by its name; 0 when this is not the name of a log file.
std::uint64_t log_number(const char* name);
// Whether this is the name of a log file or of its index.
bool is_of_log(const char* name);

}  // namespace azora::keeper
