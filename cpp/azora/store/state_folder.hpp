#pragma once
// The directory of a durable fleet: made with mode 0700, its files with 0600 whatever the umask says, and used by one
// orchestrator at a time. The lock is of the open file description of DIR/state.lock, which holds the owner's pid and
// since when it has the lock: the lock ends with its process, whatever the file says. The file is never removed, so two
// can never hold locks on two files of that name.
// Threads: one at a time. Ownership: holds the lock while it lives. Fails: by Result, with storage_failed or
// storage_full naming the path and the system's reason, or the owner.
#include <filesystem>
#include <string>

#include "azora/base/fd.hpp"
#include "azora/base/result.hpp"
#include "azora/base/time.hpp"

namespace azora::store {

class StateFolder {
 public:
  enum class Missing { make, refuse };  // a directory that is not there
  // An existing one must belong to us, and only we may write in it.
  static Result<StateFolder> open(const std::filesystem::path& path, WallTime now, Missing missing = Missing::make);

  const std::string& path() const { return path_; }  // without symbolic links
  std::string state_path() const { return path_ + "/state.db"; }
  std::string history_path() const { return path_ + "/history.db"; }
  std::string repaired_path() const { return path_ + "/state.repaired"; }  // a repair makes it there
  // False: there is none. Fails if only its log is there, or a repair was interrupted.
  Result<bool> has_state() const;
  // A new file appears under its name when it is whole: make_file() makes an empty one under another name, without
  // what lay there before, and put_in_place() renames it, durably.
  Result<void> make_file(const std::string& path) const;
  Result<void> put_in_place(const std::string& path) const;
  // Makes what was made, renamed or removed in it durable.
  Result<void> sync() const;

 private:
  StateFolder(std::string path, Fd folder) : path_(std::move(path)), folder_(std::move(folder)) {}
  Result<void> check_owner() const;
  Result<void> lock(WallTime now);
  Error in_use() const;

  std::string path_;
  Fd folder_;
  Fd lock_;
};

}  // namespace azora::store
