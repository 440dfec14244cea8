#pragma once
// What tells that a service's program was replaced: inode, modification time and size of every element of
// argv that is a file. Threads: any that may wait for a disk. Fails: never; what is no file
// counts as nothing.
#include <cstdint>
#include <string>
#include <vector>

#include "azora/model/launch_spec.hpp"

namespace azora::orchestrator {

// Three numbers per file, in the order of argv.
std::vector<std::uint64_t> file_stamp(const std::vector<std::string>& argv, const std::string& cwd, const char* path);

}  // namespace azora::orchestrator
