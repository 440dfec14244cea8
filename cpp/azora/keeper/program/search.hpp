#pragma once
// How a process is recognised as one of a service whose shim has died: it is the main process, or in its
// session, or has the service's output pipe, or the service's id and fleet in its environment. A process that left
// all of these is found only as a child of the keeper, or by its cgroup (cgroup.hpp).
// Threads: the program has one. Fails: what /proc does not show is not recognised.
#include <cstdint>

#include "azora/keeper/program/proc.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

struct Traces {
  ProcessStat stat;
  std::uint64_t outputs[2] = {};  // pipes that are its standard output and error; 0: none
  char id[kMaxServiceId + 1] = {};  // the service id in its environment, if that names `fleet`; "": none
};

// False: there is no such living process.
bool read_traces(int pid, const char* fleet, Traces* traces);

// `session_is_service`: the session is still the one that the main process led (is_same_session()).
bool is_of(const Record& record, const Traces& traces, bool session_is_service);
// False: the pid of the main process is that of another process by now, which may lead a session of its own.
bool is_same_session(const Record& record);

// Sends nothing when the pid names another process by now.
void kill_exactly(const ProcessStat& known);
// Kills these and what is below them. Returns how many were alive.
int kill_with_descendants(PidList* pids);

}  // namespace azora::keeper
