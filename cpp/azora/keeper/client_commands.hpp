#pragma once
// Carries out commands: each goes to the ledger, a launch only when all that it starts with is known. A launch whose
// user has to be looked up waits for that, and comes back through the inbox.
// Threads: az-keeper. Ownership: none but the look-ups. Fails: never; a launch that cannot be carried out is reported.
#include <memory>
#include <optional>
#include <string>

#include "azora/keeper/client_command.hpp"
#include "azora/keeper/client_inbox.hpp"
#include "azora/keeper/client_ledger.hpp"
#include "azora/keeper/client_lookups.hpp"
#include "azora/keeper/client_options.hpp"
#include "azora/keeper/environment.hpp"

namespace azora::keeper {

class ClientCommands {
 public:
  // `options` with the token of the fleet.
  ClientCommands(const ClientOptions& options, const OwnWorld& world, Ledger& ledger, std::weak_ptr<ClientInbox> inbox)
      : world_(world), token_(options.token), ledger_(ledger), inbox_(std::move(inbox)),
        lookups_(options.accounts, world.uid) {}

  void carry_out(Command command);
  // The client ends: launches are refused from now on.
  void close() { closed_ = true; }
  // Also refuses the launches that still wait for their user or for a keeper.
  void refuse_waiting();

 private:
  void begin_launch(Launch launch);
  void launch(const Launch& launch, const std::optional<Account>& account);
  void end_lookup(Serial serial, std::uint64_t incarnation);

  const OwnWorld& world_;
  const std::string& token_;
  Ledger& ledger_;
  const std::weak_ptr<ClientInbox> inbox_;
  AccountLookups lookups_;
  bool closed_ = false;
};

}  // namespace azora::keeper
