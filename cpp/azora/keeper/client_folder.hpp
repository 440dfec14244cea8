#pragma once
// The private runtime directory of one fleet: the keeper's socket, a folder for each service with its logs.
// Threads: az-keeper makes, uses and removes it. Ownership: the folder with all in it; remove() takes it away.
// Fails: with keeper_failed naming the folder and the system's reason.
#include <string>

#include "azora/base/fd.hpp"
#include "azora/base/result.hpp"

namespace azora::keeper {

class RuntimeFolder {
 public:
  // Made in `parent`; where that is empty in XDG_RUNTIME_DIR's value `preferred`, else in /tmp.
  static Result<RuntimeFolder> make(const std::string& parent, const std::string& preferred);

  const std::string& path() const { return path_; }
  // A listening socket under the keeper's name, replacing what was there, and a connection to it.
  Result<Fd> listen_for_keeper() const;
  Result<Fd> connect_to_keeper() const;
  void remove();

 private:
  std::string path_;
  Fd fd_;
};

}  // namespace azora::keeper
