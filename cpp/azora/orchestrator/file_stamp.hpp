#pragma once
// Shows whether a service's program was replaced: inode, modification time and size of every element of argv that is a
// file. Threads: any that may wait for a disk. Fails: never; an element that is not a file has no stamp.
#include <cstdint>
#include <string>
#include <vector>

#include "azora/model/launch_spec.hpp"

namespace azora::orchestrator {

// Three numbers per file, in the order of argv.
std::vector<std::uint64_t> file_stamp(const std::vector<std::string>& argv, const std::string& cwd, const char* path);

}  // namespace azora::orchestrator
