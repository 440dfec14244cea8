#pragma once
// Which services of a file would be refused for their address (registry/address_book.hpp), before any is registered.
// Threads: any; pure. Fails: never; what is no service is left to those who say so.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {

struct AddressFault {
  std::size_t index = 0;  // of the text
  std::string message;    // the rest of a fault of its field `endpoint`
};

// `texts`: each one service. `host` and `port`: where the server itself will listen.
std::vector<AddressFault> address_faults(const std::vector<std::string>& texts, const ParseOptions& options,
                                         const std::string& host, std::uint16_t port);

}  // namespace azora::orchestrator
