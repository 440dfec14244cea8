#include "azora/orchestrator/reads/ended.hpp"

namespace azora::orchestrator {

std::vector<std::string> ended_ids(const Board& board) {
  std::vector<std::string> ids;
  if (!board.ended) return ids;
  for (const ViewPtr& view : *board.ended) ids.push_back(view->spec->id);
  return ids;
}

std::vector<std::string> ended_lines(const Board& board) {
  std::vector<std::string> lines;
  if (!board.ended) return lines;
  for (const ViewPtr& view : *board.ended) lines.push_back(view->spec->id + " " + ended_words(*view));
  return lines;
}

std::vector<std::pair<std::string, std::string>> ended_services(const Board& board) {
  std::vector<std::pair<std::string, std::string>> all;
  if (!board.ended) return all;
  for (const ViewPtr& view : *board.ended) all.emplace_back(view->spec->id, view->spec->id + " " + ended_words(*view));
  return all;
}

std::string ended_words(const ExitView* exit, RestartOn policy) {
  const std::string code = std::to_string(exit != nullptr ? exit->code.value_or(0) : 0);
  return "ended by itself with code " + code + " and is not started again, since its restartPolicy is " +
         std::string(wire_name(policy));
}

std::string ended_words(const ServiceView& view) {
  const bool known = view.process && view.process->last_exit;
  return ended_words(known ? &*view.process->last_exit : nullptr, view.spec->restart->on);
}

}  // namespace azora::orchestrator
