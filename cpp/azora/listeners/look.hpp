#pragma once
// Asks the kernel whose listener answers: sockets from its diagnostics or, where these are refused, from /proc/net, and
// who holds them from /proc. Some 50 us when it is the service's; when it is another's, all processes of the machine are
// looked through for its holder.
// Threads: any; waits for the kernel alone. Fails: never; what cannot be asked is `unverified`.
#include "azora/listeners/question.hpp"

namespace azora::listeners {

Answer look(const Question& question);

}  // namespace azora::listeners
