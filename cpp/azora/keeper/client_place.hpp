#pragma once
// The folder that a client works in: the one it was given, or one that is made when it is first needed, and again when
// it was removed. Where it is now may be asked by any thread.
// Threads: path_of() any; all else az-keeper, open_given() before it. Ownership: the folder (client_folder.hpp).
// Fails: with keeper_failed when a folder cannot be had.
#include <string>

#include "azora/base/mutex.hpp"
#include "azora/base/result.hpp"
#include "azora/keeper/client_folder.hpp"
#include "azora/keeper/client_options.hpp"
#include "azora/keeper/environment.hpp"
#include "azora/keeper/keeper.hpp"

namespace azora::keeper {

class ClientPlace {
 public:
  ClientPlace(const ClientOptions& options, const OwnWorld& world) : options_(options), world_(world) {}

  // Takes the folder that was given, if one was and it was not taken yet.
  Result<void> open_given();
  // Makes a folder, whatever was there before.
  Result<void> make();
  bool is_there() const { return !folder_.path().empty(); }
  const RuntimeFolder& folder() const { return folder_; }
  void remove() { folder_.remove(); }

  // Of a service; empty as long as there is no folder.
  std::string path_of(Serial serial) const;

 private:
  Result<void> take(Result<RuntimeFolder> folder);

  const ClientOptions& options_;
  const OwnWorld& world_;
  RuntimeFolder folder_;
  mutable Mutex mutex_;
  std::string path_ AZORA_GUARDED_BY(mutex_);
};

}  // namespace azora::keeper
