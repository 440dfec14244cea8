#pragma once
// Asks the kernel whose listener answers. The sockets come from its diagnostics or, where these are refused, from
// /proc/net; their holders come from /proc. It takes some 50 us when the listener is the service's; else all
// processes of the machine are searched for its holder. Threads: any, each with
// holders of its own; waits for the kernel alone. Fails: never; when
// the kernel cannot be asked, the answer is `unverified`.
#include <vector>

#include "azora/listeners/change.hpp"
#include "azora/listeners/question.hpp"
#include "azora/listeners/socket_holders.hpp"

namespace azora::listeners {

// `holders` keeps what was found for the next questions.
Answer look(const Question& question, SocketHolders& holders);
// One list of all sockets that listen: some 0.6 us for each of them. Empty when the kernel cannot be asked.
std::vector<Seen> find_changed(const std::vector<Seen>& seen);

}  // namespace azora::listeners
