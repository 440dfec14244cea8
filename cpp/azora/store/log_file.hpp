#pragma once
// SQLite's write-ahead log as a file. SQLite itself trusts it in two ways that a store of acknowledged changes must not:
// 1. It ends the log at the first frame whose checksum is wrong. For the end of an unfinished commit that is right. If
//    more commits follow, it was damage, and acknowledged commits would vanish without a word: check_log() finds that.
//    Damage within the very last commit cannot be told from a commit that was never completed.
// 2. After a failed fsync the kernel may take pages for written that are not. They can still be read, so commits would
//    be added behind a part of the log that is not on the disk. renew_log() writes the log once more, byte for byte,
//    and makes it durable, so that the disk holds what can be read.
// All work through SQLite's layer for files, as SQLite does. Call them while nothing has the file open.
// Threads: any. Ownership: none. Fails: by Result, with storage_full or storage_failed.
#include <cstdint>
#include <string>
#include <vector>

#include "azora/base/result.hpp"

namespace azora::store {

std::string log_path(const std::string& path);  // of the log of the file `path`
// No log is a good log.
Result<void> check_log(const std::string& path, const char* vfs);
Result<void> renew_log(const std::string& path, const char* vfs);

// For repairs: every page in the log that is good on its own, from the oldest to the newest, up to the last commit.
struct LogPage {
  std::uint32_t number = 0;
  std::string bytes;
};
inline constexpr std::size_t kPageSize = 4'096;  // of every state file
Result<std::vector<LogPage>> read_log(const std::string& path, const char* vfs);

}  // namespace azora::store
