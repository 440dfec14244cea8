#pragma once
// Which services of a file would be refused for their address (registry/address_book.hpp), before any is registered.
// Threads: any that may wait for a disk (/etc/hosts). Fails: never; a text that is not a valid service is left to the other checks.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {

struct AddressFault {
  std::size_t index = 0;  // of the text in `texts`
  std::string message;    // of the fault, after its field `endpoint`
};

// `texts`: one service each. `host` and `port`: the address on which the server itself will listen.
std::vector<AddressFault> address_faults(const std::vector<std::string>& texts, const ParseOptions& options,
                                         const std::string& host, std::uint16_t port);

}  // namespace azora::orchestrator
