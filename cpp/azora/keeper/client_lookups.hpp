#pragma once
// Launches whose user is being looked up, each on a thread of its own, since a directory may hang: that stalls
// this launch and no other command.
// Threads: az-keeper calls all; `done` runs on the thread of the look-up. Ownership: a thread that hangs is left
// behind and holds nothing but its own copies.
// Fails: a launch beyond the limit, or one for which no thread can be started, is refused in words.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "azora/base/result.hpp"
#include "azora/keeper/accounts.hpp"
#include "azora/keeper/keeper.hpp"

namespace azora::keeper {

struct LookedUp {
  Launch launch;
  Result<std::optional<Account>> account;
};

class AccountLookups {
 public:
  AccountLookups(AccountLookup look_up, uid_t own) : look_up_(std::move(look_up)), own_(own) {}

  Result<void> begin(const Launch& launch, std::function<void(LookedUp)> done);
  // True: that launch is still wanted; it no longer waits.
  bool finish(Serial serial, std::uint64_t incarnation);
  void drop(Serial serial) { waiting_.erase(serial); }
  // Ends the wait of all launches and returns them.
  std::unordered_map<Serial, std::uint64_t> abandon_all();

 private:
  const AccountLookup look_up_;
  const uid_t own_;
  std::unordered_map<Serial, std::uint64_t> waiting_;  // incarnation by serial
};

}  // namespace azora::keeper
