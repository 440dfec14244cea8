#include "azora/model/spec_fields.hpp"

#include <algorithm>
#include <array>

#include "azora/model/check_kinds.hpp"
#include "azora/model/service_name.hpp"

namespace azora {
namespace {

using enum FieldKind;
using enum Section;

constexpr std::string_view kWordRule =
    "a word of 1 to 63 letters, digits, \".\", \"_\" or \"-\", the first a letter or digit";
constexpr std::string_view kStringMap =
    R"("type":"object","additionalProperties":{"type":"string"})";

// Grouped by section, in the order of Section; inside a section in the order of the documentation.
constexpr auto kFields = std::to_array<FieldRow>({
    {.section = service,
     .name = "id",
     .kind = word,
     .rule = kWordRule,
     .doc = "Unique name of the service.",
     .required = true,
     .seed = true},
    {.section = service,
     .name = "name",
     .kind = text,
     .max = 200,
     .doc = "Name for people. Default: the id.",
     .seed = true},
    {.section = service,
     .name = "type",
     .kind = word,
     .rule = kWordRule,
     .doc = "Kind of service, and the pool of that name: core, b2b, infrastructure or any word.",
     .required = true,
     .seed = true},
    {.section = service,
     .name = "endpoint",
     .rule = "an http://, https:// or tcp:// URL such as \"http://127.0.0.1:7001\"",
     .doc = "URL of the service. May be absent only when healthCheck.type is process.",
     .schema = R"("type":"string","pattern":"^([hH][tT][tT][pP][sS]?|[tT][cC][pP])://")",
     .seed = true},
    {.section = service,
     .name = "healthCheckPath",
     .rule = "a path that starts with \"/\", in plain ASCII without spaces or \"#\"",
     .default_json = "\"/health\"",
     .doc = "Path of the health check below the endpoint.",
     .schema = R"("type":"string","pattern":"^/[!-\"$-~]*$")",
     .seed = true},
    {.section = service,
     .name = "healthCheckInterval",
     .kind = duration,
     .min = 100,
     .default_json = "30000",
     .doc = "Time between health checks.",
     .seed = true},
    {.section = service,
     .name = "maxRestarts",
     .kind = integer,
     .min = -1,
     .default_json = "5",
     .doc = "Restarts after failures in one episode; 0: only alert, -1: no limit.",
     .seed = true},
    {.section = service,
     .name = "restartDelay",
     .kind = duration,
     .doc =
         "Shortest wait before each restart. Default: 0, 1, 2, 4 .. s, growing with each attempt.",
     .seed = true},
    {.section = service,
     .name = "priority",
     .kind = integer,
     .min = 1,
     .max = 10,
     .default_json = "5",
     .doc = "1 to 10, 10 starts first and gets the largest weight.",
     .seed = true},
    {.section = service,
     .name = "dependencies",
     .kind = list,
     .rule = "a list of service ids",
     .default_json = "[]",
     .doc = "Services this one needs: ids, or objects {id, condition, strength, min}.",
     .seed = true},
    {.section = service,
     .name = "metadata",
     .kind = object,
     .default_json = "{}",
     .doc = "Anything of yours; kept and echoed.",
     .schema = R"("type":"object")",
     .seed = true},
    {.section = service,
     .name = "group",
     .kind = word,
     .rule = kWordRule,
     .doc = "Pool of interchangeable replicas. Default: the id."},
    {.section = service,
     .name = "weight",
     .kind = number,
     .max = 1'000'000,
     .doc = "Share of picks; 0: never picked. Default: the priority."},
    {.section = service,
     .name = "healthCheck",
     .kind = object,
     .doc = "How the service is checked."},
    {.section = service,
     .name = "restart",
     .rule = "\"process\"",
     .doc = "How the service is healed. Default: process when there is a process. Not over REST."},
    {.section = service,
     .name = "process",
     .kind = object,
     .doc = "How the service is run, when we run it. Not over REST."},
    {.section = service,
     .name = "restartPolicy",
     .kind = choice,
     .choices = "on-failure always never",
     .default_json = "\"on-failure\"",
     .doc = "After which exits the process is started again."},
    {.section = service,
     .name = "restartFactor",
     .kind = number,
     .min = 1,
     .max = 100,
     .default_json = "2",
     .doc = "Growth of the wait from one restart to the next."},
    {.section = service,
     .name = "restartMaxDelay",
     .kind = duration,
     .default_json = "60000",
     .doc = "Longest wait before a restart. A larger restartDelay raises the default."},
    {.section = service,
     .name = "stableAfter",
     .kind = duration,
     .doc = "Healthy for this long: the restart budget is whole again. "
            "Default: the largest of 60000, twice the last wait, twice the interval."},
    {.section = service,
     .name = "failedRetryInterval",
     .kind = duration,
     .default_json = "300000",
     .doc =
         "Time between single tries once the budget is spent; 0: none. Default 0 for a callable."},
    {.section = service,
     .name = "startInterval",
     .kind = duration,
     .min = 10,
     .doc = "Longest time between checks while starting. Default: 1000, at most the interval."},
    {.section = service,
     .name = "killTimeout",
     .kind = duration,
     .min = 100,
     .default_json = "5000",
     .doc = "Time after SIGKILL until a process counts as stuck."},
    {.section = service,
     .name = "flapLimit",
     .kind = integer,
     .max = 100'000,
     .default_json = "10",
     .doc = "More restarts after failures in one hour than this: the service flaps; 0: never."},
    {.section = service,
     .name = "orphanPolicy",
     .doc = "What becomes of the process without us.",
     .available = false},

    {.section = health_check,
     .name = "type",
     .kind = choice,
     .choices = kCheckKindNames,
     .later_choices = "command ttl",
     .doc = "What is asked: an HTTP request, a TCP connection, or that the process lives. "
            "Default: http; tcp for a tcp:// endpoint."},
    {.section = health_check,
     .name = "timeout",
     .kind = duration,
     .min = 1,
     .doc = "One check ends after this, body included. Default: 5000, at most the interval."},
    {.section = health_check,
     .name = "unhealthyThreshold",
     .kind = integer,
     .min = 1,
     .max = 1000,
     .default_json = "2",
     .doc = "Failures in a row that take the service out of rotation."},
    {.section = health_check,
     .name = "restartThreshold",
     .kind = integer,
     .min = 1,
     .max = 1000,
     .doc = "Failures in a row that let healing act. Default: 3, at least unhealthyThreshold."},
    {.section = health_check,
     .name = "healthyThreshold",
     .kind = integer,
     .min = 1,
     .max = 1000,
     .default_json = "2",
     .doc = "Passes in a row that put the service back."},
    {.section = health_check,
     .name = "startTimeout",
     .kind = duration,
     .min = 1,
     .doc = "A start must pass its first check within this. Default: 30000, at least twice the "
            "interval."},
    {.section = health_check,
     .name = "method",
     .kind = choice,
     .choices = "GET HEAD OPTIONS",
     .default_json = "\"GET\"",
     .doc = "HTTP method of the check."},
    {.section = health_check,
     .name = "headers",
     .kind = object,
     .default_json = "{}",
     .doc = "Header fields sent with the check.",
     .schema = kStringMap},
    {.section = health_check,
     .name = "expectedStatus",
     .rule = "an HTTP status from 100 to 599, a range such as \"200-299\", or a list of these",
     .doc = "Answers that count as healthy. Default: 200-299.",
     .schema = R"("anyOf":[{"type":"integer","minimum":100,"maximum":599},{"type":"string",)"
               R"("pattern":"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$"},{"type":"array","minItems":1}])"},
    {.section = health_check,
     .name = "reuseConnection",
     .kind = boolean,
     .default_json = "false",
     .doc = "Keep the connection between checks; every fifth, and each after a failure, is by a new one."},

    {.section = process,
     .name = "argv",
     .kind = list,
     .rule = "a list of texts, the first one the program",
     .doc = "Program and its arguments; {port} and {index} are replaced, {{port}} stands for {port}.",
     .schema = R"("type":"array","minItems":1,"items":{"type":"string"})",
     .required = true},
    {.section = process,
     .name = "cwd",
     .kind = text,
     .max = 4096,
     .doc = "Folder it runs in. Default: the folder of the config file."},
    {.section = process,
     .name = "env",
     .kind = object,
     .default_json = "{}",
     .doc = "Environment variables; values are shown as ***.",
     .schema = kStringMap},
    {.section = process,
     .name = "envFile",
     .kind = text,
     .max = 4096,
     .doc = "File of NAME=value lines, read at each start."},
    {.section = process,
     .name = "envExpand",
     .kind = boolean,
     .default_json = "false",
     .doc = "Replace $NAME and ${NAME} in the values of envFile by what is set by then."},
    {.section = process,
     .name = "inheritEnv",
     .rule = "a list of names of environment variables, or \"*\"",
     .default_json = "[]",
     .doc = "Further variables of ours that it gets.",
     .schema = R"("anyOf":[{"const":"*"},{"type":"array","items":{"type":"string"}}])"},
    {.section = process,
     .name = "user",
     .kind = text,
     .max = 256,
     .doc = "User it runs as. Default: ours."},
    {.section = process,
     .name = "stopSignal",
     .rule = "the name of a signal such as \"SIGTERM\"",
     .default_json = "\"SIGTERM\"",
     .doc = "Signal that asks it to stop.",
     .schema = R"("type":"string")"},
    {.section = process,
     .name = "stopTimeout",
     .kind = duration,
     .default_json = "10000",
     .doc = "Time from the stop signal to SIGKILL."},
    {.section = process, .name = "log", .kind = object, .doc = "Limits of its log files."},
    {.section = process,
     .name = "memoryLimit",
     .kind = bytes,
     .min = 1024 * 1024,
     .max = std::int64_t{1} << 50,
     .doc = "Memory that it may use with its descendants; without a memory cgroup: addresses of each process."},
    {.section = process,
     .name = "replicas",
     .kind = integer,
     .min = 1,
     .max = kMostReplicas,
     .default_json = "1",
     .doc = "Number of processes; more than one are the services id@0, id@1 and so on; the id stands for all."},
    {.section = process,
     .name = "ports",
     .rule = "a list of ports, or a range such as \"7001-7004\"",
     .doc = "Port of each replica. Default: the endpoint's and those after it.",
     .schema =
         R"("anyOf":[{"type":"string","pattern":"^[0-9]+-[0-9]+$"},{"type":"array","minItems":1,)"
         R"("items":{"type":"integer","minimum":1,"maximum":65535}}])"},
    {.section = process,
     .name = "rlimits",
     .kind = object,
     .default_json = "{}",
     .doc = "Resource limits: {nofile: 4096} or {nofile: {soft, hard}}; -1 or \"unlimited\": none.",
     .schema = R"("type":"object")"},
    {.section = process,
     .name = "noNewPrivs",
     .kind = boolean,
     .default_json = "true",
     .doc = "Set-user-id programs gain nothing."},

    {.section = log,
     .name = "maxBytes",
     .kind = bytes,
     .min = 1024,
     .max = std::int64_t{1} << 40,
     .default_json = "10485760",
     .doc = "Size of one log file."},
    {.section = log,
     .name = "files",
     .kind = integer,
     .min = 1,
     .max = 1000,
     .default_json = "5",
     .doc = "Number of log files kept, the current one included."},

    {.section = dependency,
     .name = "id",
     .rule = "the id of a service",
     .doc = "Service that is needed.",
     .schema = R"("type":"string")",
     .required = true},
    {.section = dependency,
     .name = "condition",
     .kind = choice,
     .choices = "started healthy completed",
     .default_json = "\"healthy\"",
     .doc = "What it must have reached."},
    {.section = dependency,
     .name = "strength",
     .kind = choice,
     .choices = "hard soft",
     .default_json = "\"hard\"",
     .doc = "hard: wait for it. soft: only start after it."},
    {.section = dependency,
     .name = "min",
     .kind = integer,
     .min = 1,
     .max = kMostReplicas,
     .default_json = "1",
     .doc = "Of a service with replicas: so many of them must have reached it."},

    {.section = restart,
     .name = "type",
     .kind = choice,
     .choices = "process",
     .later_choices = "systemd docker webhook command",
     .doc = "The healing action."},
    {.section = restart, .name = "systemd", .doc = "A systemd unit.", .available = false},
    {.section = restart, .name = "docker", .doc = "A Docker container.", .available = false},
    {.section = restart, .name = "webhook", .doc = "An HTTP request.", .available = false},
    {.section = restart, .name = "command", .doc = "A command.", .available = false},
});

std::string limits(std::string_view what, const FieldRow& row, std::string_view unit) {
  std::string rule(what);
  if (row.max != kMaxInt32) {
    rule += " from " + std::to_string(row.min) + " to " + std::to_string(row.max);
  } else {
    rule += " of at least " + std::to_string(row.min);
  }
  if (!unit.empty()) rule += " (" + std::string(unit) + ")";
  return rule;
}

// "a", "b" or "c"
std::string quoted_choices(std::string_view choices) {
  std::string words;
  while (!choices.empty()) {
    const std::size_t space = std::min(choices.find(' '), choices.size());
    const bool last = space == choices.size();
    if (!words.empty()) words += last ? " or " : ", ";
    words += "\"" + std::string(choices.substr(0, space)) + "\"";
    choices.remove_prefix(last ? space : space + 1);
  }
  return words;
}

}  // namespace

std::span<const FieldRow> all_fields() { return kFields; }

std::span<const FieldRow> fields_of(Section section) {
  const auto in_section = [section](const FieldRow& row) { return row.section == section; };
  const auto first = std::find_if(kFields.begin(), kFields.end(), in_section);
  return {first, std::find_if_not(first, kFields.end(), in_section)};
}

const FieldRow* find_field(Section section, std::string_view name) {
  for (const FieldRow& row : fields_of(section)) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string_view section_path(Section section) {
  switch (section) {
    case Section::service: return "";
    case Section::health_check: return "healthCheck";
    case Section::process: return "process";
    case Section::log: return "process.log";
    case Section::dependency: return "dependencies[]";
    case Section::restart: return "restart";
  }
  return "";
}

std::string rule_text(const FieldRow& row, bool units) {
  if (!row.rule.empty()) return std::string(row.rule);
  switch (row.kind) {
    case FieldKind::word:
    case FieldKind::text:
      return "a text of 1 to " + std::to_string(row.max) + " characters without control characters";
    case FieldKind::integer: return limits("an integer", row, "");
    case FieldKind::number: return limits("a number", row, "");
    case FieldKind::boolean: return "true or false";
    case FieldKind::duration:
      return limits("an integer", row, "milliseconds") +
             (units ? " or a text such as \"30s\"" : "");
    case FieldKind::bytes:
      return "an integer of at least " + std::to_string(row.min) + " (bytes)" +
             (units ? " or a text such as \"10MiB\"" : "");
    case FieldKind::choice: return quoted_choices(row.choices);
    case FieldKind::object: return "an object";
    case FieldKind::list:
    case FieldKind::other: break;
  }
  return "a value of its kind";
}

bool is_word(std::string_view text) {
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 63 && alnum(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return alnum(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace azora
