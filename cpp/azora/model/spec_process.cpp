#include <algorithm>
#include <array>
#include <charconv>

#include "azora/model/event.hpp"
#include "azora/model/spec_template.hpp"
#include "azora/model/spec_parts.hpp"

namespace azora {
namespace {

constexpr int kLastPort = 65535;

// Checks a string that may become part of a command line, an environment or a path.
bool is_c_string(const Json& value) {
  return value.is(Json::Kind::string) && value.text.find('\0') == std::string::npos;
}

std::vector<std::string> read_argv(CheckedObject& process, SpecContext& context) {
  std::vector<std::string> argv;
  const Json* list = process.get("argv");
  if (!list) return argv;
  if (list->items.empty()) {
    process.fault("argv", "is an empty list; it must begin with the program");
    return argv;
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const Json& item = list->items[i];
    if (!is_c_string(item)) {
      context.fault(index_path(process.path_of("argv"), i),
                    is_but_must_be(item, "a string without NUL characters"));
    } else if (i == 0 && item.text.empty()) {
      context.fault(index_path(process.path_of("argv"), i), "is \"\"; it must be the program");
    } else {
      argv.push_back(item.text);
    }
  }
  return argv;
}

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.size() <= 256 && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

bool is_scalar(const Json& value) {
  return value.is(Json::Kind::number) || value.is(Json::Kind::boolean);
}

void read_env(const CheckedObject& process, LaunchSpec& launch, SpecContext& context) {
  const Json* env = process.get("env");
  if (!env) return;
  for (const auto& [name, value] : env->members) {
    const std::string field = join_path(process.path_of("env"), name);
    if (!is_variable_name(name)) {
      context.fault(field,
                    "is not a valid variable name; use letters, digits and \"_\", and do not begin with a digit");
    } else if (!value.is(Json::Kind::string)) {  // the value is not shown, as it may be a secret
      context.fault(field, "is " + std::string(kind_name(value)) + "; it must be a string" +
                               (is_scalar(value) ? "; put it in quotes" : ""));
    } else if (!is_c_string(value)) {
      context.fault(field, "must be a string without NUL characters");
    } else {
      launch.env.emplace_back(name, value.text);
    }
  }
}

void read_inherit_env(CheckedObject& process, LaunchSpec& launch, SpecContext& context) {
  const Json* value = process.get("inheritEnv");
  if (!value) return;
  if (value->is(Json::Kind::string) && value->text == "*") {
    launch.inherit_env = {"*"};
    return;
  }
  if (!value->is(Json::Kind::array)) {
    return process.fault("inheritEnv",
                         is_but_must_be(*value, find_field(Section::process, "inheritEnv")->rule));
  }
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const Json& item = value->items[i];
    if (item.is(Json::Kind::string) && (is_variable_name(item.text) || item.text == "*")) {
      launch.inherit_env.push_back(item.text);
    } else {
      context.fault(index_path(process.path_of("inheritEnv"), i),
                    is_but_must_be(item, "the name of an environment variable"));
    }
  }
}

// Accepts only strings: the number 27 in a file may be meant as decimal or as octal.
void read_umask(CheckedObject& process, LaunchSpec& launch) {
  const Json* value = process.get("umask");
  if (!value) return;
  std::uint32_t umask = 0;
  const std::string& text = value->text;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), umask, 8);
  const bool octal = value->is(Json::Kind::string) && fault == std::errc{} && end == text.data() + text.size();
  const bool whole = text.size() == 3 || (text.size() == 4 && text.front() == '0');
  if (!octal || !whole) {
    return process.fault("umask", is_but_must_be(*value, find_field(Section::process, "umask")->rule));
  }
  launch.umask = umask;
}

void read_stop_signal(CheckedObject& process, LaunchSpec& launch) {
  const Json* value = process.get("stopSignal");
  if (!value) return;
  const auto number = value->is(Json::Kind::string) ? signal_number(value->text) : std::nullopt;
  // Refused: a process that such a signal stops would not end before SIGKILL.
  const bool stops = value->text == "SIGSTOP" || value->text == "STOP" ||
                     value->text == "SIGTSTP" || value->text == "TSTP";
  if (!number || stops) {
    return process.fault("stopSignal",
                         is_but_must_be(*value,
                                        "the name of a signal that ends a process, such as "
                                        "\"SIGTERM\" or \"SIGINT\""));
  }
  launch.stop_signal = *number;
}

void read_log(const CheckedObject& process, LaunchSpec& launch, SpecContext& context) {
  const Json* value = process.get("log");
  if (!value) return;
  const CheckedObject log(Section::log, *value, process.path_of("log"), context);
  launch.log.max_bytes = log.integer("maxBytes").value_or(launch.log.max_bytes);
  launch.log.files = log.integer_or("files", launch.log.files);
}

constexpr std::array<std::string_view, 16> kLimitNames = {
    "as",     "core", "cpu",    "data",  "fsize", "locks",  "memlock", "msgqueue",
    "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack"};

constexpr std::int64_t kNoLimit = -1;
constexpr std::int64_t kWrongLimit = -2;

std::int64_t read_limit(const Json* value) {
  if (!value) return kWrongLimit;
  if (value->is(Json::Kind::string) && value->text == "unlimited") return kNoLimit;
  return std::max(kWrongLimit, value->integer().value_or(kWrongLimit));
}

bool is_limit_name(std::string_view name) {
  return std::find(kLimitNames.begin(), kLimitNames.end(), name) != kLimitNames.end();
}

std::string unknown_limit() {
  std::string message = "is not a resource limit; the limits are ";
  for (const std::string_view name : kLimitNames) {
    if (name != kLimitNames.front()) message += ", ";
    message += name;
  }
  return message;
}

void read_rlimits(const CheckedObject& process, LaunchSpec& launch, SpecContext& context) {
  const Json* limits = process.get("rlimits");
  if (!limits) return;
  for (const auto& [name, value] : limits->members) {
    const std::string field = join_path(process.path_of("rlimits"), name);
    if (!is_limit_name(name)) {
      context.fault(field, unknown_limit());
      continue;
    }
    const bool apart = value.is(Json::Kind::object);
    const std::int64_t soft = read_limit(apart ? value.find("soft") : &value);
    const std::int64_t hard = read_limit(apart ? value.find("hard") : &value);
    if (soft == kWrongLimit || hard == kWrongLimit || (apart && value.members.size() != 2)) {
      context.fault(field, is_but_must_be(value,
                                          "an integer of at least 0, -1 or \"unlimited\", or an "
                                          "object {soft, hard} of these"));
    } else if (hard != kNoLimit && (soft == kNoLimit || soft > hard)) {
      context.fault(field, "has a soft limit above its hard limit; lower soft or raise hard");
    } else {
      launch.rlimits[name] = {soft, hard};
    }
  }
}

std::optional<std::uint16_t> read_port(std::string_view digits) {
  int port = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool right = fault == std::errc{} && end == digits.data() + digits.size() && port >= 1 &&
                     port <= kLastPort;
  return right ? std::optional(static_cast<std::uint16_t>(port)) : std::nullopt;
}

// "7001-7004" or [7001, 7002]; empty after a fault.
std::vector<std::uint16_t> read_port_list(CheckedObject& process, const Json& value,
                                          SpecContext& context) {
  std::vector<std::uint16_t> ports;
  if (value.is(Json::Kind::string)) {
    const std::string_view text = value.text;
    const std::size_t dash = std::min(text.find('-'), text.size());
    const auto first = read_port(text.substr(0, dash));
    const auto last = dash < text.size() ? read_port(text.substr(dash + 1)) : std::nullopt;
    if (first && last && *first <= *last) {
      for (int port = *first; port <= *last; ++port)
        ports.push_back(static_cast<std::uint16_t>(port));
      return ports;
    }
  } else if (value.is(Json::Kind::array) && !value.items.empty()) {
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const Json& item = value.items[i];
      const std::string path = index_path(process.path_of("ports"), i);
      const auto number = item.integer();
      if (!number || *number < 1 || *number > kLastPort) {
        context.fault(path, is_but_must_be(item, "a port from 1 to 65535"));
      } else if (std::find(ports.begin(), ports.end(), *number) != ports.end()) {
        context.fault(path,
                      "is " + shown(item) + ", which is already in the list; remove one of them");
      } else {
        ports.push_back(static_cast<std::uint16_t>(*number));
        continue;
      }
      return {};
    }
    return ports;
  }
  process.fault("ports", is_but_must_be(value, find_field(Section::process, "ports")->rule));
  return {};
}

std::vector<std::uint16_t> read_ports(CheckedObject& process, int replicas,
                                      const std::optional<Url>& endpoint, bool endpoint_given,
                                      SpecContext& context) {
  std::vector<std::uint16_t> ports;
  const auto wanted = static_cast<std::size_t>(replicas);
  if (const Json* value = process.get("ports")) {
    ports = read_port_list(process, *value, context);
    if (!ports.empty() && ports.size() < wanted) {
      process.fault("ports", "names " + std::to_string(ports.size()) + " ports for " +
                                 std::to_string(wanted) + " replicas; name one for each");
    } else if (!ports.empty() && !endpoint && !endpoint_given) {
      process.fault("ports",
                    "needs an endpoint whose port it replaces; give one or leave ports out");
    }
    ports.resize(std::min(ports.size(), wanted));
    return ports;
  }
  if (!endpoint) return ports;
  if (endpoint->port + replicas - 1 > kLastPort) {
    process.fault("replicas", "is " + std::to_string(replicas) + ", but only " +
                                  std::to_string(kLastPort - endpoint->port + 1) + " ports are left from " +
                                  std::to_string(endpoint->port) + " on; lower it or give ports");
    return ports;
  }
  for (int i = 0; i < replicas; ++i)
    ports.push_back(static_cast<std::uint16_t>(endpoint->port + i));
  return ports;
}

// {port} without an endpoint would start the program with a wrong argument.
void check_port_uses(const CheckedObject& process, const LaunchSpec& launch, SpecContext& context) {
  constexpr std::string_view kProblem =
      "contains {port}, but the service has no endpoint; give one, write the number, or write {{port}} for a "
      "literal {port}";
  const auto check = [&](const std::string& field, const std::string& text) {
    if (uses_port(text)) context.fault(field, std::string(kProblem));
  };
  for (std::size_t i = 0; i < launch.argv.size(); ++i) {
    check(index_path(process.path_of("argv"), i), launch.argv[i]);
  }
  for (const auto& [name, value] : launch.env)
    check(join_path(process.path_of("env"), name), value);
  check(process.path_of("cwd"), launch.cwd);
  check(process.path_of("envFile"), launch.env_file);
}

}  // namespace

ProcessPlan read_process(const Json& process_json, const std::optional<Url>& endpoint,
                         bool endpoint_given, SpecContext& context) {
  CheckedObject process(Section::process, process_json, "process", context);
  ProcessPlan plan;
  LaunchSpec& launch = plan.launch;
  launch.argv = read_argv(process, context);
  launch.cwd = process.text_or("cwd", "");
  launch.env_file = process.text_or("envFile", "");
  if (const Json* value = process.get("envExpand")) launch.env_expand = value->boolean;
  launch.user = process.text_or("user", "");
  read_env(process, launch, context);
  read_inherit_env(process, launch, context);
  read_umask(process, launch);
  read_stop_signal(process, launch);
  launch.stop_timeout = process.millis("stopTimeout").value_or(launch.stop_timeout);
  if (process.text_or("stopMode", "") == "tree") launch.stop_mode = StopMode::tree;
  launch.orphan_timeout = process.millis("orphanTimeout").value_or(launch.orphan_timeout);
  read_log(process, launch, context);
  read_rlimits(process, launch, context);
  if (const Json* value = process.get("noNewPrivs")) launch.no_new_privs = value->boolean;
  launch.memory_limit = process.integer("memoryLimit").value_or(0);
  plan.replicas = process.integer_or("replicas", 1);
  plan.ports = read_ports(process, plan.replicas, endpoint, endpoint_given, context);
  if (!endpoint_given) check_port_uses(process, launch, context);
  return plan;
}

}  // namespace azora
