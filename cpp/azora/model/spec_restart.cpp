#include <algorithm>

#include "azora/model/spec_parts.hpp"

namespace azora {
namespace {

constexpr std::string_view kNotYet = ", which is not available in this release; ";

bool is_later_action(std::string_view word) {
  const FieldRow* row = find_field(Section::restart, word);
  return row && !row->available;
}

// The word of `restart`, given alone or as {type}; empty after a fault.
std::string read_action_word(CheckedObject& service, const Json& value, SpecContext& context) {
  const Json* word = value.is(Json::Kind::object) ? value.find("type") : &value;
  if (word && word->is(Json::Kind::string) && is_later_action(word->text)) {
    service.fault("restart",
                  "is " + shown(*word) + std::string(kNotYet) + "it must be \"process\"");
    return {};
  }
  if (value.is(Json::Kind::object)) {
    CheckedObject fields(Section::restart, value, "restart", context);
    const bool names_another =
        std::any_of(value.members.begin(), value.members.end(),
                    [](const JsonMember& member) { return is_later_action(member.key); });
    if (!word && !names_another) fields.fault("type", "is missing; give \"process\"");
    return fields.text_or("type", "");
  }
  if (!value.is(Json::Kind::string) || value.text != "process") {
    std::string message = is_but_must_be(value, "\"process\"");
    if (value.text == "always" || value.text == "on-failure" || value.text == "never") {
      message += " (" + shown(value) + " is for restartPolicy)";
    }
    service.fault("restart", std::move(message));
    return {};
  }
  return value.text;
}

}  // namespace

const ActionKind* read_action(CheckedObject& service, const ActionKind* given, SpecContext& context) {
  const bool has_process = service.given("process");
  if (given != nullptr) {
    if (has_process) {
      context.fault("restart",
                    "is a callable, but Azora itself restarts what has a `process`; leave one of "
                    "the two out");
    } else if (service.given("restart")) {
      service.fault("restart", "is given in addition to a callable; leave one of the two out");
    }
    return given;
  }
  if (const Json* restart = service.get("restart")) {
    if (read_action_word(service, *restart, context) == "process" && !has_process) {
      service.fault("restart",
                    "is \"process\", but there is no `process`; add one that says what to run");
    }
  }
  return has_process ? &kProcessAction : &kNoAction;
}

RestartPolicy read_restart_policy(CheckedObject& service, const ActionKind& action, bool has_endpoint) {
  RestartPolicy policy;
  const std::string on = service.text_or("restartPolicy", has_endpoint ? "always" : "on-failure");
  policy.on = on == "always"  ? RestartOn::always
              : on == "never" ? RestartOn::never
                              : RestartOn::on_failure;
  policy.max_restarts = service.integer_or("maxRestarts", policy.max_restarts);
  policy.delay = service.millis("restartDelay");
  policy.factor = service.number("restartFactor").value_or(policy.factor);
  if (const auto max_delay = service.millis("restartMaxDelay")) {
    if (policy.delay && *policy.delay > *max_delay) {
      service.fault("restartMaxDelay", "is " + std::to_string(max_delay->count()) +
                                           "; it must be at least restartDelay (" +
                                           std::to_string(policy.delay->count()) +
                                           "); raise it or leave it out");
    }
    policy.max_delay = *max_delay;
  } else if (policy.delay) {
    policy.max_delay = std::max(policy.max_delay, *policy.delay);
  }
  policy.stable_after = service.millis("stableAfter");
  if (action.acts && !action.owned()) policy.failed_retry_interval = Millis{0};
  policy.failed_retry_interval =
      service.millis("failedRetryInterval").value_or(policy.failed_retry_interval);
  policy.kill_timeout = service.millis("killTimeout").value_or(policy.kill_timeout);
  policy.flap_limit = service.integer_or("flapLimit", policy.flap_limit);
  return policy;
}

}  // namespace azora
