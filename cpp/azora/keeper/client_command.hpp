#pragma once
// What a client is asked to do about its services, and how it is to end. Threads: values only.
#include <cstdint>
#include <string>
#include <variant>

#include "azora/keeper/client_lookups.hpp"
#include "azora/keeper/keeper.hpp"

namespace azora::keeper {

struct AdoptCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  std::string id;
};
struct AcknowledgeCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
};
struct StopCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  StopOrder order;
};
struct KillCommand {
  Serial serial = 0;
  std::uint64_t incarnation = 0;
};
struct ForgetCommand {
  Serial serial = 0;
};
using Command = std::variant<Launch, LookedUp, AdoptCommand, AcknowledgeCommand, StopCommand, KillCommand, ForgetCommand>;

// stop: with all services; leave: with everything left as it is.
enum class Ending : std::uint8_t { no, stop, leave };

}  // namespace azora::keeper
