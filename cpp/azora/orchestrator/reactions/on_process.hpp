#pragma once
// What the keeper says about processes: facts, each with its incarnation; one of a former incarnation changes nothing.
// Threads: the control thread. Fails: never.
#include <cstdint>
#include <string>

#include "azora/keeper/keeper.hpp"
#include "azora/orchestrator/drive.hpp"

namespace azora::orchestrator {

// One run of one service.
struct Run {
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
};

void on_started(Fleet& fleet, Probing& probing, Drive& drive, Run run, int pid, Now at);
void on_start_failed(Fleet& fleet, Drive& drive, Run run, std::string reason);
void on_exited(Fleet& fleet, Turn& turn, Drive& drive, Run run, const keeper::Exit& exit);
// Told before on_started(), whose event names it.
void on_warning(Fleet& fleet, Run run, std::string reason);
void on_swept(Fleet& fleet, Drive& drive, Run run);
void on_lost(Fleet& fleet, Turn& turn, Drive& drive, Run run, std::string reason);
// Its shim dropped so many lines since it began; answers how many of them are new.
std::uint64_t on_log_dropped(Fleet& fleet, Turn& turn, std::uint64_t serial, std::uint64_t lines);
// What its processes use, as sampled.
void on_usage(Fleet& fleet, Turn& turn, std::string_view id, std::uint64_t incarnation, double cpu_percent,
              std::int64_t rss_bytes);

}  // namespace azora::orchestrator
