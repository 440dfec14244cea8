#pragma once
// Why a service did not start, in words for people: field, value, rule, what to do.
// Threads: any; pure functions.
#include <string>

#include "azora/keeper/launch_frame.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

// Of a record in phase start_failed; `launch` is what was asked for.
std::string describe_start_failure(const Record& record, const LaunchRequest& launch);

// Of a launch that keeper or shim did not accept.
std::string describe_refusal(const Refusal& refusal);

// What process.memoryLimit means where it is kept by RLIMIT_AS.
std::string describe_memory_bound();

}  // namespace azora::keeper
