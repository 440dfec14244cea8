#include "azora/orchestrator/reads/why.hpp"

#include "azora/model/iso_time.hpp"
#include "azora/model/json_writer.hpp"

namespace azora::orchestrator {
namespace {

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
  if (service.held_back) return {id + " waits until the process that had this id before is gone", {"its end"}};
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

Result<std::string> why_json(const Fleet& fleet, std::string_view id, Now now) {
  const ServiceState* service = fleet.find(id);
  if (service == nullptr) return Error{ErrorCode::unknown_service, "Service not found", {}};
  const healing::Machine& machine = service->machine;
  std::vector<std::string> blockers;
  for (const std::string& blocker : service->blocked_by) {
    blockers.push_back(blocker + (fleet.find(blocker) == nullptr ? " (not registered)" : ""));
  }
  const Reason reason = reason_of(*service, fleet.running(), join(blockers));
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

}  // namespace azora::orchestrator
