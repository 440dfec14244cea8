#include "azora/orchestrator/reactions/on_process.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "azora/keeper/system_words.hpp"

namespace azora::orchestrator {
namespace {

LogLossView view_of(const keeper::LogLoss& loss) {
  return {.lines = loss.lines,
          .bytes = loss.bytes,
          .since = {loss.since_wall_ms},
          .reason = keeper::loss_words(loss.error),
          .goes_on = loss.goes_on};
}

}  // namespace

std::uint64_t on_output_dropped(Fleet& fleet, Turn& turn, std::uint64_t serial, std::uint64_t lines,
                                const keeper::LogLoss& loss) {
  ServiceState* service = fleet.by_serial(serial);
  if (service == nullptr || !service->own) return 0;
  const std::uint64_t before = std::exchange(service->own->log_dropped, lines);
  service->own->log_loss = loss.lines > 0 ? std::make_shared<const LogLossView>(view_of(loss)) : nullptr;
  turn.mark_dirty(*service);
  return lines >= before ? lines - before : lines;  // a new shim counts from 0
}

void on_usage(Fleet& fleet, Turn& turn, std::string_view id, std::uint64_t incarnation, double cpu_percent,
              std::int64_t rss_bytes) {
  ServiceState* service = fleet.find(id);
  if (service == nullptr || incarnation != service->machine.incarnation) return;
  if (!service->own || !service->own->pid) return;
  service->figures->set_usage(cpu_percent, rss_bytes);
  const bool by_process_alone = !service->is_asked();
  if (by_process_alone && service->machine.lifecycle == Lifecycle::ready) service->note_alive(turn.now());
}

}  // namespace azora::orchestrator
