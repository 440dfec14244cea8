#pragma once
// What a KeeperClient is made with. A durable fleet gives folder, token and epoch, and so finds again what a former
// orchestrator left running. Threads: values only.
#include <cstdint>
#include <string>

#include "azora/base/thread.hpp"
#include "azora/base/time.hpp"
#include "azora/keeper/accounts.hpp"

namespace azora::keeper {

struct ClientOptions {
  std::string program;      // path of azora-keeper
  std::string runtime_dir;  // a private folder is made in it; empty: in /tmp
  std::string build_id;     // of the package; for people
  ThreadDied died;          // of the thread az-keeper
  std::string folder;       // instead: exactly this folder, kept at the end; for one orchestrator at a time
  bool durable = false;     // services outlive an orchestrator that is killed or leaves
  std::string token;        // of the fleet: [a-z0-9-]; names its cgroups. Empty: made anew
  std::uint64_t epoch = 0;  // the last one used with that folder. A value that is too low costs a try
  AccountLookup accounts = look_up_account;
  Millis ping_every{1'000};
  Millis ping_glance{500};      // a keeper silent for longer, and stopped by a signal, is reported and replaced
  Millis ping_patience{5'000};  // and one silent for longer than that, whatever it does
};

}  // namespace azora::keeper
