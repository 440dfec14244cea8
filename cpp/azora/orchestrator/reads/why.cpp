#include "azora/orchestrator/reads/why.hpp"

#include <algorithm>
#include <vector>

#include "azora/model/iso_time.hpp"
#include "azora/model/json_writer.hpp"
#include "azora/orchestrator/reads/ended.hpp"
#include "azora/orchestrator/reads/entry.hpp"
#include "azora/orchestrator/reads/whose_answer.hpp"

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

std::string attempts_text(int attempts, int max_restarts) {
  return std::to_string(attempts) + " of " + (max_restarts < 0 ? "unlimited" : std::to_string(max_restarts)) +
         " restarts used";
}

std::string clock_time(SteadyTime at, Now now) {
  return iso_time({now.wall.ms + to_millis(at - now.steady).count()});
}

// The mass brake that holds back the service's restart for failed checks (R26): the one that ends last. Empty: none.
Reason brake_of(const Board& board, const ServiceView& view, Now now) {
  const healing::KillPermits::Braking* found = nullptr;
  if (board.brakes) {
    for (const auto& one : *board.brakes) {
      const bool its = one.group.empty() || one.group == view.spec->group();
      if (its && one.until > now.steady && (found == nullptr || one.until > found->until)) found = &one;
    }
  }
  if (found == nullptr) return {};
  const std::string turned_bad =
      "more than half of " + (found->group.empty() ? "all services" : "group '" + found->group + "'");
  const std::string until = clock_time(found->until, now);
  return {"its restart is due and held back by the mass brake: " + turned_bad +
              " turned bad at once; in effect since " + clock_time(found->since, now) + ", until " + until + " unless more turn bad, but at most until " +
              clock_time(found->at_latest, now),
          {"a passing health check", "the end of the brake at " + until, "a restart by you"}};
}

// `blockers`: the dependencies it waits for, in words.
Reason reason_of(const ServiceView& view, bool running, const std::string& blockers, const std::string& trouble,
                 const Reason& brake) {
  const HealingView& healing = view.healing_or_default();
  const std::string id = view.spec->id;
  const ActionKind& action = *view.spec->action;
  const std::string error = trouble.empty() ? "" : " (" + trouble + ")";
  const std::string not_ready = blockers.empty() ? "" : "; its dependencies are not ready: " + blockers;
  const std::string it = healing.failing ? id + " failed" + error + "; it" : id;
  if (!running) return {id + " is not checked, because the orchestrator is stopped", {"a start of the orchestrator"}};
  if (healing.held_back) {
    return {id + " waits until the previous process with this id has ended", {"the end of that process"}};
  }
  switch (view.lifecycle) {
    case Lifecycle::watching: {
      std::string text = id + " is " + std::string(wire_name(view.status)) + error;
      std::vector<std::string> by;
      if (view.status != HealthStatus::healthy) {
        text += "; it has only a URL, so Azora cannot restart it";
        by.emplace_back("a passing health check");
      }
      return {text + not_ready, by};
    }
    case Lifecycle::idle:
      if (view.desired == Desired::hold) return {id + " does not run, and nothing starts it", {"a start by you"}};
      return {id + " is stopped, as requested", {"a start by you"}};
    case Lifecycle::blocked:
      if (!blockers.empty()) {
        return {id + " waits for its dependencies: " + blockers + "; this uses up no restart",
                {blockers + " becoming ready"}};
      }
      if (healing.action_running) {
        return {id + " waits for its restart callable, which has not returned yet" + error,
                {"the return of the callable"}};
      }
      if (healing.next_attempt) {
        return {id + " failed" + error + "; it waits for the next attempt",
                {"the next attempt", "a start or restart by you"}};
      }
      return {id + " waits for its turn to start", {"a free start slot"}};
    case Lifecycle::starting:
      if (healing.action_running) {
        return {id + " is being restarted by its callable" + error, {"the return of the callable"}};
      }
      return {id + " is starting and has not passed a check yet" + error, {"its first response below 500"}};
    case Lifecycle::ready:
      if (view.status == HealthStatus::healthy) return {id + " is healthy" + error + not_ready, {}};
      if (healing.permit_asked && !brake.summary.empty()) {
        return {id + " fails its checks" + error + "; " + brake.summary, brake.unblocked_by};
      }
      if (healing.permit_asked) {
        return {id + " fails its checks" + error +
                    "; its restart waits for a permit, so that not too many are stopped at once",
                {"a passing health check", "more of its group becoming ready"}};
      }
      if (!blockers.empty()) {
        return {id + " is " + std::string(wire_name(view.status)) + error + ", explained by its dependencies: " + blockers,
                {blockers + " becoming ready"}};
      }
      return {id + " runs but is " + std::string(wire_name(view.status)) + error, {"a passing health check"}};
    case Lifecycle::stopping:
      return {it + " was told to stop and has until its stopTimeout", {"the end of its process"}};
    case Lifecycle::killing:
      return {it + " did not stop in time and was killed", {"the end of its process"}};
    case Lifecycle::stuck:
      return {id + " cannot be killed (uninterruptible); no second copy is started", {"the end of its process"}};
    case Lifecycle::sweep:
      return {id + " has ended" + error + "; processes that it left behind were told to stop and must end first",
              {"the end of its last descendant"}};
    case Lifecycle::backoff:
      return {id + " failed" + error + "; it waits for the next attempt, " +
                  attempts_text(healing.attempts, view.spec->restart->max_restarts),
              {"the next attempt", "a start or restart by you"}};
    case Lifecycle::failed: {
      std::vector<std::string> by = {"a start or restart by you"};
      const RestartPolicy& policy = view.spec->restart;
      if (!action.owned()) by.emplace_back("a passing health check");
      if (policy.on == RestartOn::never) return {id + " failed" + error + "; its restartPolicy is never", by};
      if (policy.max_restarts == 0) return {id + " failed" + error + "; with maxRestarts 0 it is not started again", by};
      if (view.spec->process) by.emplace_back("a change of its executable");
      if (!view.spec->dependencies.empty()) by.emplace_back("a dependency recovering");
      if (healing.next_attempt) by.emplace_back("the next single attempt");
      return {id + " failed" + error + " and its restart budget is used up: " +
                  attempts_text(healing.attempts, policy.max_restarts),
              by};
    }
    case Lifecycle::done:
      return {id + " " + ended_words(view) + error +
                  (view.is_ended() ? "; it is out of rotation, and nothing serves its endpoint" : ""),
              {"a start by you"}};
    case Lifecycle::adopt:
      return {id + " was found running; its first check has not ended yet", {"its first response"}};
  }
  return {};
}

void strings(JsonWriter& json, const std::vector<std::string>& values) {
  json.begin_array();
  for (const std::string& value : values) json.string(value);
  json.end_array();
}

// What is wrong with the service, in words; empty: nothing.
std::string trouble_of(const std::string& last_error, const std::string& action_error) {
  if (action_error.empty()) return last_error;
  return last_error.empty() ? action_error : last_error + "; " + action_error;
}

// The dependencies that a service waits for, as it names them. For an entry with replicas also how many are ready.
std::string blockers_of(const Board& board, const ServiceView& view) {
  std::vector<std::string> words;
  for (const std::string& blocker : view.healing_or_default().blocked_by) {
    const std::vector<ViewPtr> views = board.services(blocker);
    std::string text = blocker;
    if (views.empty()) {
      text += " (not registered)";
    } else if (board.entries.contains(blocker)) {
      text += " (" + std::to_string(ready_of(views)) + " of " + std::to_string(views.size()) + " instances ready";
      for (const Dependency& dependency : view.spec->dependencies) {
        if (dependency.id == blocker && dependency.min > 1) text += ", " + std::to_string(dependency.min) + " needed";
      }
      text += ")";
    }
    words.push_back(std::move(text));
  }
  return join(words);
}

// The answer for one service, or for an entry.
struct Why {
  std::string summary;
  Lifecycle lifecycle = Lifecycle::idle;
  HealthStatus status = HealthStatus::unknown;
  std::string_view cause;
  int attempts = 0;
  int max_restarts = 0;
  OptionalTime next_attempt;
  std::vector<std::string> blocked_by;
  std::vector<std::string> unblocked_by;
  std::string trouble;
};

// A start or a signal goes through the store and the keeper. Says which of the two it waits for.
void add_what_is_in_the_way(Why& why, const ServiceView& view, const WhySources& sources, SteadyTime now) {
  if (!view.spec->process) return;
  const OptionalTime waits = sources.start_waits_since ? sources.start_waits_since(view.serial) : std::nullopt;
  if (waits && view.lifecycle == Lifecycle::starting) {
    why.summary = view.spec->id + " has not been started yet: its start waits until it is stored, for " +
                  std::to_string(to_millis(now - *waits).count()) + " ms so far";
    why.unblocked_by = {"an answer from the store"};
  }
  if (sources.keeper_trouble.empty()) return;
  why.summary += "; " + sources.keeper_trouble;
  why.unblocked_by.emplace_back("the link to the keeper");
}

// Adds whether the program that listens at the service's address is its own.
void add_whose_answer(Why& why, const ServiceView& view, const WhySources& sources) {
  const WhoseAnswer whose = whose_answer(view, sources);
  if (whose.remark.empty()) return;
  if (whose.held && view.lifecycle == Lifecycle::starting) {
    why.summary = view.spec->id + " is starting, but " + whose.remark;
    why.unblocked_by.clear();
  } else if (why.summary.find(whose.remark) == std::string::npos) {  // its last error may say the same
    why.summary += "; " + whose.remark;
  }
  if (!whose.held) return;
  if (!whose.unblocked_by.empty()) why.unblocked_by.push_back(whose.unblocked_by);
  if (why.trouble.empty()) why.trouble = whose.remark;
}

// Adds what its owner asked for: what keeps it out of rotation, and what ends that.
void add_owner_state(Why& why, const ServiceView& view) {
  if (!view.owner) return;
  if (const auto& maintenance = view.owner->maintenance) {
    const std::string until = maintenance->until ? iso_time(*maintenance->until) : "";
    why.summary += "; it is under maintenance since " + iso_time(maintenance->since) +
                   (until.empty() ? "" : " until " + until) + " (" + maintenance->reason +
                   "): it is checked, but neither picked nor restarted";
    why.unblocked_by.push_back("the end of its maintenance" + (until.empty() ? " by you" : " at " + until + ", or by you"));
  }
  if (const auto& drain = view.owner->drain) {
    if (drain->done) {
      why.summary += "; it is drained: out of rotation since " + iso_time(drain->since);
    } else {
      const std::string next = drain->then == DrainThen::keep ? "stays out of rotation" : std::string(wire_name(drain->then));
      why.summary += "; it is being drained: out of rotation since " + iso_time(drain->since) +
                     ", waiting for its leases until " + iso_time({drain->since.ms + drain->timeout.count()}) + ", then " +
                     (drain->then == DrainThen::keep ? "it " : "a ") + next;
    }
    why.unblocked_by.emplace_back("the end of its drain by you");
  }
}

Why why_of(const Board& board, const ServiceView& view, const WhySources& sources, Now now) {
  const HealingView& healing = view.healing_or_default();
  Why why;
  why.trouble = trouble_of(view.figures().last_error(), healing.action_error);
  Reason reason = reason_of(view, board.running, blockers_of(board, view), why.trouble,
                            brake_of(board, view, now));
  why.summary = std::move(reason.summary);
  if (!healing.warning.empty()) why.summary += "; " + healing.warning;
  why.unblocked_by = std::move(reason.unblocked_by);
  why.lifecycle = view.lifecycle;
  why.status = view.status;
  why.cause = healing.cause;
  why.attempts = healing.attempts;
  why.max_restarts = view.spec->restart->max_restarts;
  why.next_attempt = healing.next_attempt;
  why.blocked_by = healing.blocked_by;
  if (board.running) add_whose_answer(why, view, sources);
  add_what_is_in_the_way(why, view, sources, now.steady);
  add_owner_state(why, view);
  return why;
}

void add_new(std::vector<std::string>& all, const std::vector<std::string>& more) {
  for (const std::string& one : more) {
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  }
}

// Says how many instances are ready, and what each of the others does. Cause and attempts are those of the instance
// that needs the most attention.
Why why_of_entry(const Board& board, const EntryOnBoard& entry, const std::vector<ViewPtr>& views,
                 const WhySources& sources, Now now) {
  constexpr std::size_t kNamed = 3;
  Why why;
  why.lifecycle = lifecycle_of(views);
  why.status = status_of(views);
  why.max_restarts = entry.spec->restart->max_restarts;
  why.summary = entry.spec->id + " is " + std::string(wire_name(why.status)) + ": " + std::to_string(ready_of(views)) +
                " of " + std::to_string(views.size()) + " instances are ready";
  std::size_t others = 0;
  bool leads = true;
  for (const ViewPtr& view : views) {
    const Why one = why_of(board, *view, sources, now);
    if (leads && view->lifecycle == why.lifecycle) {
      why.cause = one.cause;
      why.attempts = one.attempts;
      leads = false;
    }
    if (one.next_attempt && (!why.next_attempt || *one.next_attempt < *why.next_attempt)) why.next_attempt = one.next_attempt;
    add_new(why.blocked_by, one.blocked_by);
    add_new(why.unblocked_by, one.unblocked_by);
    if (why.trouble.empty() && !one.trouble.empty()) why.trouble = view->spec->id + ": " + one.trouble;
    const bool well = board.running && is_ready(*view) && view->status == HealthStatus::healthy && !view->owner;
    if (!well && ++others <= kNamed) why.summary += "; " + one.summary;
  }
  if (others > kNamed) why.summary += "; and " + std::to_string(others - kNamed) + " more";
  return why;
}

}  // namespace

Result<std::string> why_json(const Board& board, std::string_view name, Now now, const WhySources& sources) {
  const std::vector<ViewPtr> views = board.services(name);
  if (views.empty()) return Error{ErrorCode::unknown_service, "Service not found", {}};
  const EntryOnBoardPtr* entry = board.entries.find(name);
  const Why why = entry == nullptr ? why_of(board, *views.front(), sources, now)
                                   : why_of_entry(board, **entry, views, sources, now);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(name);
  json.key("summary");
  json.string(why.summary);
  json.key("lifecycle");
  json.string(wire_name(why.lifecycle));
  json.key("status");
  json.string(wire_name(why.status));
  json.key("cause");
  why.cause.empty() ? json.null() : json.string(why.cause);
  json.key("attempt");
  json.integer(why.attempts);
  json.key("maxRestarts");
  json.integer(why.max_restarts);
  json.key("nextAttemptAt");
  if (why.next_attempt) {
    json.string(iso_time({now.wall.ms + to_millis(*why.next_attempt - now.steady).count()}));
  } else {
    json.null();
  }
  json.key("blockedBy");
  strings(json, why.blocked_by);
  json.key("unblockedBy");
  strings(json, why.unblocked_by);
  json.key("lastError");
  why.trouble.empty() ? json.null() : json.string(why.trouble);
  if (entry != nullptr) {
    json.key("instances");
    strings(json, (*entry)->services);
    json.key("ready");
    json.integer(static_cast<std::int64_t>(ready_of(views)));
  }
  json.end_object();
  return out;
}

}  // namespace azora::orchestrator
