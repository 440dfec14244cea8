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

// A file of a service's log: its number, 0 when the name is none.
std::uint64_t log_number(const char* name);
// The same or its index.
bool is_of_log(const char* name);

}  // namespace azora::keeper
