#pragma once
// Services that ended by themselves though they are wanted up and have an endpoint: nothing fails, nothing is started
// again, and clients find no server there. Counted, named and explained wherever the fleet is shown (R54).
// Threads: any; a board is immutable. Fails: never.
#include <string>
#include <vector>

#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

// In registration order.
std::vector<std::string> ended_ids(const Board& board);
// One line each: which, with which code, under which policy.
std::vector<std::string> ended_lines(const Board& board);
// "ended by itself with code 0 and is not started again, since its restartPolicy is never"
std::string ended_words(const ExitView* exit, RestartOn policy);
std::string ended_words(const ServiceView& view);

}  // namespace azora::orchestrator
