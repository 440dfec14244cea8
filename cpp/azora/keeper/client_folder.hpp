#pragma once
// The private runtime directory of one fleet: the keeper's socket, a folder for each service with its logs.
// A folder that was given outlives its orchestrator and belongs to one at a time, by a lock that ends with the
// process; a folder that was made anew is removed with the fleet.
// Threads: one at a time. Ownership: remove() takes away a folder that was made, never one that was given.
// Fails: with keeper_failed naming the folder and the system's reason, or the process that has the lock.
#include <string>

#include "azora/base/fd.hpp"
#include "azora/base/result.hpp"

namespace azora::keeper {

class RuntimeFolder {
 public:
  // Makes a folder in `parent`; when that is empty in /tmp, else in `fallback`. /tmp goes first because it outlives
  // the session of the user who started us, which XDG_RUNTIME_DIR does not.
  static Result<RuntimeFolder> make(const std::string& parent, const std::string& fallback);
  // Opens exactly that folder, makes it if it is missing, and locks it.
  static Result<RuntimeFolder> open(const std::string& path);

  const std::string& path() const { return path_; }
  bool is_given() const { return given_; }
  // Shims may be running in it.
  bool has_shims() const;
  // It was removed, or its path leads elsewhere.
  bool is_lost() const;
  // A listening socket under the keeper's name, replacing what was there, and a connection to it.
  Result<Fd> listen_for_keeper() const;
  Result<Fd> connect_to_keeper() const;
  // A given one is only unlocked, for the next orchestrator.
  void remove();

 private:
  static Result<RuntimeFolder> opened(const std::string& path);
  Result<void> lock();

  std::string path_;
  Fd fd_;
  Fd lock_;
  bool given_ = false;
};

}  // namespace azora::keeper
