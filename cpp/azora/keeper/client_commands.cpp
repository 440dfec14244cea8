#include "azora/keeper/client_commands.hpp"

#include <utility>

namespace azora::keeper {
namespace {

constexpr const char* kStopping = "the fleet is being stopped";

}  // namespace

void ClientCommands::carry_out(Command command) {
  if (auto* launch = std::get_if<Launch>(&command)) return begin_launch(std::move(*launch));
  if (auto* found = std::get_if<LookedUp>(&command)) {
    if (!lookups_.finish(found->launch.serial, found->launch.incarnation)) return;  // stopped or forgotten meanwhile
    if (found->account) return launch(found->launch, found->account.value());
    return ledger_.refuse_launch(found->launch.serial, found->launch.incarnation, found->account.error().message);
  }
  if (auto* adopt = std::get_if<AdoptCommand>(&command)) {
    return ledger_.adopt(adopt->serial, adopt->incarnation, std::move(adopt->id));
  }
  if (const auto* end = std::get_if<AcknowledgeCommand>(&command)) return ledger_.acknowledge(end->serial, end->incarnation);
  if (const auto* stop = std::get_if<StopCommand>(&command)) {
    end_lookup(stop->serial, stop->incarnation);
    return ledger_.stop(stop->serial, stop->incarnation, stop->order);
  }
  if (const auto* kill = std::get_if<KillCommand>(&command)) {
    end_lookup(kill->serial, kill->incarnation);
    return ledger_.kill(kill->serial, kill->incarnation);
  }
  if (const auto* forget = std::get_if<ForgetCommand>(&command)) {
    lookups_.drop(forget->serial);
    ledger_.forget(forget->serial);
  }
}

void ClientCommands::begin_launch(Launch launch) {
  if (closed_) return ledger_.refuse_launch(launch.serial, launch.incarnation, kStopping);
  if (launch.spec.user.empty()) return this->launch(launch, std::nullopt);
  Result<void> begun = lookups_.begin(launch, [weak = inbox_](LookedUp found) {
    if (const std::shared_ptr<ClientInbox> inbox = weak.lock()) inbox->push(std::move(found));
  });
  if (!begun) ledger_.refuse_launch(launch.serial, launch.incarnation, begun.error().message);
}

void ClientCommands::launch(const Launch& launch, const std::optional<Account>& account) {
  Result<LaunchRequest> request = resolve(launch, world_, account, token_, own_umask());
  if (request) return ledger_.launch(std::move(request).value());
  ledger_.refuse_launch(launch.serial, launch.incarnation, request.error().message);
}

// A launch that still waits for its user ends with the first command against it.
void ClientCommands::end_lookup(Serial serial, std::uint64_t incarnation) {
  if (!lookups_.finish(serial, incarnation)) return;
  ledger_.refuse_launch(serial, incarnation, "it was stopped while its user was still being looked up");
}

void ClientCommands::refuse_waiting() {
  for (const auto& [serial, incarnation] : lookups_.abandon_all()) ledger_.refuse_launch(serial, incarnation, kStopping);
  ledger_.fail_unsent(kStopping);
}

}  // namespace azora::keeper
