#pragma once
// Services that ended by themselves although they are wanted up and have an endpoint. Nothing fails, nothing is started
// again, and clients find no server there. So they are counted, named and explained wherever the fleet is shown (R54).
// Threads: any; a board is immutable. Fails: never.
#include <string>
#include <utility>
#include <vector>

#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

// In registration order.
std::vector<std::string> ended_ids(const Board& board);
// One line per service: which one, its exit code, and its restartPolicy.
std::vector<std::string> ended_lines(const Board& board);
// Both, for each service: its id and its line.
std::vector<std::pair<std::string, std::string>> ended_services(const Board& board);
// "ended by itself with code 0 and is not started again, since its restartPolicy is never"
std::string ended_words(const ExitView* exit, RestartOn policy);
std::string ended_words(const ServiceView& view);

}  // namespace azora::orchestrator
