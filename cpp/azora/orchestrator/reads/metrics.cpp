#include "azora/orchestrator/reads/metrics.hpp"

#include <string_view>

#include "azora/base/check.hpp"

namespace azora::orchestrator {
namespace {

constexpr std::string_view counter = "counter";
constexpr std::string_view gauge = "gauge";

struct Row {
  std::string_view name;  // after "azora_"
  std::string_view kind;
  std::string_view help;
  std::uint64_t (*value)(const MetricSources&);
};

std::uint64_t in_trouble(const MetricSources& sources, Part part) { return sources.self.reason(part).empty() ? 0 : 1; }

constexpr Row kRows[] = {
    {"services", gauge, "Registered services.",
     [](const MetricSources& s) -> std::uint64_t { return s.board.in_order.size(); }},
    {"services_healthy", gauge, "Services that are healthy.",
     [](const MetricSources& s) -> std::uint64_t { return s.board.healthy; }},
    {"services_unhealthy", gauge, "Services that are unhealthy.",
     [](const MetricSources& s) -> std::uint64_t { return s.board.unhealthy; }},
    {"services_ended", gauge, "Services with an endpoint that should be running but ended by themselves.",
     [](const MetricSources& s) -> std::uint64_t { return s.board.ended ? s.board.ended->size() : 0; }},
    {"processes_alive", gauge, "Services whose process may exist.",
     [](const MetricSources& s) -> std::uint64_t { return s.board.alive; }},
    {"running", gauge, "1 while the orchestrator is running, that is, started and not stopped.",
     [](const MetricSources& s) -> std::uint64_t { return s.board.running ? 1 : 0; }},
    {"turns_total", counter, "Turns of the control thread.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.turns; }},
    {"views_built_total", counter, "Service views replaced.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.views_built; }},
    {"turn_views_built", gauge, "Service views replaced by the last turn that replaced any.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.turn_views; }},
    {"figures_written_total", counter, "Writes of a service's figures, which replace no view.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.figures_written; }},
    {"probes_total", counter, "Probes sent.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.probes_asked; }},
    {"probe_results_stale_total", counter, "Probe results that belong to a previous incarnation or configuration.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.results_stale; }},
    {"probe_results_void_total", counter, "Probe results dropped because the control thread was late.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.results_void; }},
    {"probes_in_flight", gauge, "Probes that wait for a response.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.in_flight; }},
    {"log_lines_dropped_total", counter, "Lines of output that shims dropped because of a slow or full disk.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.log_dropped; }},
    {"loop_stalls_total", counter, "Number of times the control thread was late by more than a second.",
     [](const MetricSources& s) -> std::uint64_t { return s.core.loop_stalls; }},
    {"events_head", gauge, "Sequence number of the newest event.",
     [](const MetricSources& s) -> std::uint64_t { return s.events_head; }},
    {"degraded", gauge, "1 while something is wrong with the orchestrator itself; /readyz says what.",
     [](const MetricSources& s) -> std::uint64_t { return s.self.trouble().empty() ? 0 : 1; }},
    {"degraded_keeper", gauge, "1 while the link to the keeper is down.",
     [](const MetricSources& s) -> std::uint64_t { return in_trouble(s, Part::keeper); }},
    {"degraded_store", gauge, "1 while the store does not accept changes.",
     [](const MetricSources& s) -> std::uint64_t { return in_trouble(s, Part::store); }},
    {"degraded_loop", gauge, "1 while the control thread is late.",
     [](const MetricSources& s) -> std::uint64_t { return in_trouble(s, Part::loop); }},
    {"degraded_threads", gauge, "1 when a thread of the orchestrator died.",
     [](const MetricSources& s) -> std::uint64_t { return in_trouble(s, Part::threads); }},
    {"internal_errors_total", counter, "Failed invariants.",
     [](const MetricSources& ) -> std::uint64_t { return bug_count(); }},
    {"pool_members_touched_total", counter, "Pool entries written by changes.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.members_touched; }},
    {"turn_pool_members_touched", gauge, "Pool entries written by the last turn that wrote any.",
     [](const MetricSources& s) -> std::uint64_t { return s.turn_members_touched; }},
    {"pool_flaps_total", counter, "Changes of a member's eligibility.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.flaps; }},
    {"pool_names_published_total", counter, "Names of pools that were added, removed or changed owner.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.names_published; }},
    {"pool_tables_built_total", counter, "Strategy tables rebuilt.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.tables_built; }},
    {"pool_table_entries_built_total", counter, "Members put into rebuilt strategy tables.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.table_entries_built; }},
    {"leases_taken_total", counter, "Leases taken.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.leases_taken; }},
    {"leases_released_total", counter, "Leases released.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.leases_released; }},
    {"leases_expired_total", counter, "Leases that expired.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.leases_expired; }},
    {"leases_held", gauge, "Leases held.",
     [](const MetricSources& s) -> std::uint64_t { return s.pools.leases_held; }},
    {"list_bytes_total", counter, "Bytes of list bodies serialised.",
     [](const MetricSources& s) -> std::uint64_t { return s.list_bytes; }},
    {"graph_bytes_total", counter, "Bytes of graphs serialised.",
     [](const MetricSources& s) -> std::uint64_t { return s.graph_bytes; }},
    {"view_bytes_total", counter, "Bytes of single services serialised by this process.",
     [](const MetricSources& ) -> std::uint64_t { return ServiceView::bytes_made(); }},
    {"bytes_serialised_total", counter, "Bytes of JSON made for single services, lists and graphs.",
     [](const MetricSources& s) -> std::uint64_t { return ServiceView::bytes_made() + s.list_bytes + s.graph_bytes; }},
    {"event_turns_handed_over_total", counter, "Turns whose events were appended later by the reader that held the log.",
     [](const MetricSources& s) -> std::uint64_t { return s.event_turns_handed_over; }},
    {"events_evicted_total", counter, "Events dropped from the bounded log.",
     [](const MetricSources& s) -> std::uint64_t { return s.events_evicted; }},
    {"history_events_stored_total", counter, "State events written to the history.",
     [](const MetricSources& s) -> std::uint64_t { return s.history.stored; }},
    {"history_events_dropped_total", counter, "State events that the history lost because its disk was slow, full or broken.",
     [](const MetricSources& s) -> std::uint64_t { return s.history.dropped; }},
    {"history_commits_total", counter, "Transactions that wrote to the history.",
     [](const MetricSources& s) -> std::uint64_t { return s.history.commits; }},
    {"history_failing", gauge, "1 while the history cannot be written.",
     [](const MetricSources& s) -> std::uint64_t { return s.history.failing ? 1 : 0; }},
    {"probe_answers_total", counter, "Probes that ended.",
     [](const MetricSources& s) -> std::uint64_t { return s.net.checks; }},
    {"probe_connections_reused_total", counter, "Probes sent over a kept connection.",
     [](const MetricSources& s) -> std::uint64_t { return s.net.reused; }},
    {"probe_connects_total", counter, "Connections opened by probes.",
     [](const MetricSources& s) -> std::uint64_t { return s.net.connects; }},
    {"probe_system_calls_total", counter, "System calls made by the prober's thread.",
     [](const MetricSources& s) -> std::uint64_t { return s.net.system_calls(); }},
};

}  // namespace

std::string metrics_text(const MetricSources& sources) {
  std::string out;
  for (const Row& row : kRows) {
    out.append("# HELP azora_").append(row.name).append(" ").append(row.help).append("\n");
    out.append("# TYPE azora_").append(row.name).append(" ").append(row.kind).append("\n");
    out.append("azora_").append(row.name).append(" ").append(std::to_string(row.value(sources))).append("\n");
  }
  return out;
}

}  // namespace azora::orchestrator
