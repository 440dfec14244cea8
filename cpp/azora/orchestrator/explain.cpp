// Questions about one service or the whole graph, answered in words and JSON; and the metrics text.
#include "azora/base/check.hpp"
#include "azora/model/iso_time.hpp"
#include "azora/model/json_writer.hpp"
#include "azora/orchestrator/core.hpp"

namespace azora::orchestrator {
namespace {

Error not_found() { return {ErrorCode::unknown_service, "Service not found", {}}; }

std::string_view condition_name(Condition condition) {
  switch (condition) {
    case Condition::started: return "started";
    case Condition::healthy: return "healthy";
    case Condition::completed: return "completed";
  }
  return "healthy";
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

struct Reason {
  std::string summary;
  std::vector<std::string> unblocked_by;
};

std::string attempts_text(const healing::Machine& machine, int max_restarts) {
  return std::to_string(machine.attempts) + " of " + (max_restarts < 0 ? "unlimited" : std::to_string(max_restarts)) +
         " restarts used";
}

// `blockers`: what it waits for, in words.
Reason reason_of(const ServiceState& service, bool running, const std::string& blockers) {
  const healing::Machine& machine = service.machine;
  const std::string id = *service.id;
  const std::string trouble = service.trouble();
  const std::string error = trouble.empty() ? "" : " (" + trouble + ")";
  if (!running) return {id + " is not watched: the orchestrator is stopped", {"start the orchestrator"}};
  if (service.held_back) return {id + " waits until the process that bore this id before is gone", {"its end"}};
  switch (machine.lifecycle) {
    case Lifecycle::watching: {
      std::string text = id + " is " + std::string(wire_name(service.status)) + error;
      std::vector<std::string> by;
      if (service.status != HealthStatus::healthy) {
        text += "; it has only a URL, so nothing here can restart it";
        by.emplace_back("a passing health check");
      }
      if (!blockers.empty()) text += "; its dependencies are not ready: " + blockers;
      return {text, by};
    }
    case Lifecycle::idle:
      return {id + " is stopped because that is what its owner wants", {"start it"}};
    case Lifecycle::blocked:
      if (!blockers.empty()) {
        return {id + " waits for its dependencies: " + blockers + "; no restart is spent", {blockers + " becoming ready"}};
      }
      if (machine.action_running) {
        return {id + " waits for its restart callable, which was called and has not returned" + error, {"its return"}};
      }
      if (machine.next_attempt) {
        return {id + " failed" + error + "; it is not started again before its restartDelay",
                {"the next attempt", "a start or restart by you"}};
      }
      return {id + " waits for its turn to start", {"a free start slot"}};
    case Lifecycle::starting:
      if (machine.action_running) return {id + " is being restarted by its callable" + error, {"its return"}};
      return {id + " is starting and has not answered yet" + error, {"its first answer below 500"}};
    case Lifecycle::ready:
      if (service.status == HealthStatus::healthy) return {id + " is healthy", {}};
      if (machine.permit_asked) {
        return {id + " fails its checks" + error + "; a restart waits for a permit so that not too many stop at once",
                {"a passing health check", "more of its group becoming ready"}};
      }
      if (!blockers.empty()) {
        return {id + " is " + std::string(wire_name(service.status)) + error + ", explained by its dependencies: " + blockers,
                {blockers + " becoming ready"}};
      }
      return {id + " runs but is " + std::string(wire_name(service.status)) + error, {"a passing health check"}};
    case Lifecycle::stopping:
      return {id + (machine.failing ? " failed" + error + ";" : "") + " was told to stop and has until its stopTimeout", {"its exit"}};
    case Lifecycle::killing:
      return {id + (machine.failing ? " failed" + error + ";" : "") + " did not stop in time and was killed", {"its end"}};
    case Lifecycle::stuck:
      return {id + " cannot be killed (uninterruptible); no second copy is started", {"its end"}};
    case Lifecycle::sweep:
      return {id + " has ended" + error + "; its descendants are being removed", {"the end of its last descendant"}};
    case Lifecycle::backoff:
      return {id + " failed" + error + "; the next attempt is waited for, " +
                  attempts_text(machine, service.spec->restart.max_restarts),
              {"the next attempt", "a start or restart by you"}};
    case Lifecycle::failed: {
      std::vector<std::string> by = {"a start or restart by you"};
      const RestartPolicy& policy = service.spec->restart;
      if (!service.process()) by.emplace_back("a passing health check");
      if (policy.on == RestartOn::never) return {id + " failed" + error + "; its restartPolicy is never", by};
      if (policy.max_restarts == 0) return {id + " failed" + error + "; with maxRestarts 0 it is not started again", by};
      if (service.process()) by.emplace_back("a change of its executable");
      if (!service.spec->dependencies.empty()) by.emplace_back("a dependency recovering");
      if (machine.next_attempt) by.emplace_back("the next single try");
      return {id + " failed" + error + " and its budget is spent: " + attempts_text(machine, policy.max_restarts), by};
    }
    case Lifecycle::done:
      return {id + " ended by itself with code 0 and is not started again", {"start it"}};
    case Lifecycle::adopt:
      return {id + " was found running; its first check is outstanding", {"its first answer"}};
  }
  return {};
}

void strings(JsonWriter& json, const std::vector<std::string>& values) {
  json.begin_array();
  for (const std::string& value : values) json.string(value);
  json.end_array();
}

}  // namespace

Result<std::string> Core::why_json(std::string_view id) {
  const ServiceState* service = find(id);
  if (service == nullptr) return not_found();
  const healing::Machine& machine = service->machine;
  std::vector<std::string> blockers;
  for (const std::string& blocker : service->blocked_by) {
    blockers.push_back(blocker + (find(blocker) == nullptr ? " (not registered)" : ""));
  }
  const Reason reason = reason_of(*service, running_, join(blockers));
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(*service->id);
  json.key("summary");
  json.string(reason.summary);
  json.key("lifecycle");
  json.string(wire_name(machine.lifecycle));
  json.key("status");
  json.string(wire_name(service->status));
  json.key("cause");
  if (machine.cause == healing::Cause::none) {
    json.null();
  } else {
    json.string(wire_name(machine.cause));
  }
  json.key("attempt");
  json.integer(machine.attempts);
  json.key("maxRestarts");
  json.integer(service->spec->restart.max_restarts);
  json.key("nextAttemptAt");
  if (machine.next_attempt) {
    const Now now = loop_.now();
    json.string(iso_time({now.wall.ms + to_millis(*machine.next_attempt - now.steady).count()}));
  } else {
    json.null();
  }
  json.key("blockedBy");
  strings(json, service->blocked_by);
  json.key("unblockedBy");
  strings(json, reason.unblocked_by);
  json.key("lastError");
  const std::string trouble = service->trouble();
  trouble.empty() ? json.null() : json.string(trouble);
  json.end_object();
  return out;
}

Result<std::string> Core::dependencies_json(std::string_view id) {
  const ServiceState* service = find(id);
  if (service == nullptr) return not_found();
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(*service->id);
  json.key("dependencies");
  json.begin_array();
  for (const Dependency& dependency : service->spec->dependencies) {
    const ServiceState* other = find(dependency.id);
    json.begin_object();
    json.key("id");
    json.string(dependency.id);
    json.key("condition");
    json.string(condition_name(dependency.condition));
    json.key("strength");
    json.string(dependency.strength == Strength::hard ? "hard" : "soft");
    json.key("satisfied");
    json.boolean(satisfied(dependency));
    json.key("missing");
    json.boolean(other == nullptr);
    json.key("status");
    json.string(wire_name(other ? other->status : HealthStatus::unknown));
    json.end_object();
  }
  json.end_array();
  json.key("dependents");
  strings(json, graph_.dependents(id));
  json.key("tree");
  json.begin_array();
  for (const registry::TreeLine& line : graph_.tree(id)) {
    json.begin_object();
    json.key("id");
    json.string(line.id);
    json.key("depth");
    json.integer(line.depth);
    json.key("missing");
    json.boolean(line.missing);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

std::string Core::graph_json() {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("nodes");
  json.begin_array();
  registry_.for_each([&](const registry::Entry& entry) {
    const ServiceState* service = by_serial(entry.serial);
    json.begin_object();
    json.key("id");
    json.string(entry.spec->id);
    json.key("type");
    json.string(entry.spec->type);
    json.key("status");
    json.string(wire_name(service->status));
    json.key("lifecycle");
    json.string(wire_name(service->machine.lifecycle));
    json.key("rank");
    json.integer(graph_.rank(entry.spec->id));
    json.end_object();
  });
  json.end_array();
  json.key("edges");
  json.begin_array();
  registry_.for_each([&](const registry::Entry& entry) {
    for (const Dependency& dependency : entry.spec->dependencies) {
      json.begin_object();
      json.key("from");
      json.string(entry.spec->id);
      json.key("to");
      json.string(dependency.id);
      json.key("condition");
      json.string(condition_name(dependency.condition));
      json.key("strength");
      json.string(dependency.strength == Strength::hard ? "hard" : "soft");
      json.key("satisfied");
      json.boolean(satisfied(dependency));
      json.end_object();
    }
  });
  json.end_array();
  json.key("startOrder");
  strings(json, graph_.start_order());
  json.end_object();
  return out;
}

std::string Core::metrics_text() const {
  std::string out;
  const auto metric = [&out](std::string_view name, std::string_view kind, std::string_view help, std::uint64_t value) {
    out.append("# HELP azora_").append(name).append(" ").append(help).append("\n");
    out.append("# TYPE azora_").append(name).append(" ").append(kind).append("\n");
    out.append("azora_").append(name).append(" ").append(std::to_string(value)).append("\n");
  };
  metric("services", "gauge", "Registered services.", registry_.size());
  metric("services_healthy", "gauge", "Services that are healthy.", board_.healthy);
  metric("services_unhealthy", "gauge", "Services that are unhealthy.", board_.unhealthy);
  metric("processes_alive", "gauge", "Processes of ours that may exist.", processes_alive());
  metric("running", "gauge", "1 while the orchestrator is started.", running_ ? 1 : 0);
  metric("turns_total", "counter", "Turns of the control thread.", turns_);
  metric("views_built_total", "counter", "Service views replaced.", views_built_);
  metric("turn_views_built", "gauge", "Service views replaced by the last turn that replaced any.", turn_views_);
  metric("probes_total", "counter", "Probes asked.", probes_asked_);
  metric("probe_results_stale_total", "counter", "Results of a former incarnation or configuration.", results_stale_);
  metric("probe_results_void_total", "counter", "Results dropped because our own loop was late.", results_void_);
  metric("probes_in_flight", "gauge", "Probes that wait for an answer.", scheduler_.in_flight());
  metric("log_lines_dropped_total", "counter", "Lines of output that shims dropped for a slow or full disk.", log_dropped_);
  metric("loop_stalls_total", "counter", "Times our own loop was late by more than a second.", guard_.stalls());
  metric("events_head", "counter", "Sequence number of the newest event.", publisher_.head());
  metric("internal_errors_total", "counter", "Failed invariants.", bug_count());
  return out;
}

}  // namespace azora::orchestrator
