#pragma once
// The body of the thread az-keeper: carries out commands in the order they came, keeps a keeper working as
// long as there are services, and hands over what it reports in batches.
// Its parts: what was asked (client_inbox.hpp) and how that is carried out (client_commands.hpp), the folder
// (client_place.hpp), the keeper (client_connection.hpp), what is reported (client_reports.hpp), the end
// (client_farewell.hpp). This class calls them in their order.
// Threads: run() is the thread's body; prepare() before it; push(), end(), leave(), epoch() and folder_of() any thread;
// all else az-keeper.
// Fails: prepare() with keeper_failed when the folder cannot be had; what goes wrong later is reported as
// start_failed, or link_down while services are up.
#include <cstdint>
#include <memory>
#include <string>

#include "azora/base/time.hpp"
#include "azora/keeper/client_commands.hpp"
#include "azora/keeper/client_connection.hpp"
#include "azora/keeper/client_farewell.hpp"
#include "azora/keeper/client_inbox.hpp"
#include "azora/keeper/client_ledger.hpp"
#include "azora/keeper/client_options.hpp"
#include "azora/keeper/client_place.hpp"
#include "azora/keeper/client_reports.hpp"
#include "azora/keeper/environment.hpp"

namespace azora::keeper {

class ClientWorker {
 public:
  using Deliver = ClientReports::Deliver;

  ClientWorker(ClientOptions options, OwnWorld world, Deliver deliver);
  ~ClientWorker() = default;
  ClientWorker(const ClientWorker&) = delete;
  ClientWorker& operator=(const ClientWorker&) = delete;

  // Takes the folder that was given, if one was.
  Result<void> prepare();
  void push(Command command) { inbox_->push(std::move(command)); }
  // Makes run() end everything: services get their stop signal now, SIGKILL at `deadline`, and whatever
  // happens run() returns Farewell::kPatience after that. Later commands are refused.
  void end(SteadyTime deadline) { inbox_->end(Ending::stop, deadline); }
  // Makes run() end with everything left as it is.
  void leave() { inbox_->end(Ending::leave, {}); }
  void run();
  // False: something may be left running. After run().
  bool ended_clean() const { return farewell_.was_clean(); }
  std::uint64_t epoch() const { return connection_.epoch(); }
  // Of a service; empty as long as no service was launched.
  std::string folder_of(Serial serial) const { return place_.path_of(serial); }

 private:
  bool is_over() const { return farewell_.is_over() || connection_.ended(); }
  void wait();
  void take_orders();
  void press_end();
  void clean_up();

  const ClientOptions options_;
  const OwnWorld world_;
  const std::shared_ptr<ClientInbox> inbox_;
  ClientPlace place_;
  Ledger ledger_;
  ClientReports reports_;
  ClientCommands commands_;
  ClientConnection connection_;
  Farewell farewell_;
};

}  // namespace azora::keeper
