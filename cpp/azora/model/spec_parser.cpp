#include "azora/model/spec_parser.hpp"

#include <algorithm>
#include <utility>

#include "azora/model/endpoint.hpp"
#include "azora/model/json_reader.hpp"
#include "azora/model/json_writer.hpp"
#include "azora/model/service_name.hpp"
#include "azora/model/spec_echo.hpp"
#include "azora/model/spec_parts.hpp"

namespace azora {
namespace {

// A request with a command to run is refused before anything else is checked (R29).
std::optional<Error> find_command(const Json& given, const std::string& prefix) {
  std::string field;
  if (given.find("process")) field = "process";
  if (given.find("restart")) field = "restart";
  if (const Json* check = given.find("healthCheck")) {
    const Json* type = check->find("type");
    if (type && type->is(Json::Kind::string) && type->text == "command") field = "healthCheck.type";
  }
  if (field.empty()) return std::nullopt;
  return Error{ErrorCode::exec_forbidden,
               prefix + field +
                   ": a request cannot say what to run; put it into the config file or register the "
                   "service from Python",
               {}};
}

Error error_of(SpecContext& context) {
  if (context.untold > 0) {
    context.faults.push_back({context.prefix + "(more)", std::to_string(context.untold) +
                                                             " more faults are not listed"});
  }
  return spec_error(std::move(context.faults));
}

// The error of a service that was read, if it has one. Each number out of range is a fault of its field, also of one
// that is not ours.
std::optional<Error> error_of(SpecContext& context, std::vector<WideNumber>& wide) {
  for (WideNumber& one : wide) {
    if (one.path.empty()) return Error{ErrorCode::invalid_json, std::move(one.problem), {}};
    const bool known = std::any_of(context.faults.begin(), context.faults.end(),
                                   [&](const Fault& fault) { return one.path == fault.field; });
    if (!known) context.fault(one.path, "is " + one.number + "; it must be a number of 64 bits");
  }
  if (context.faults.empty()) return std::nullopt;
  Error error = error_of(context);
  if (!wide.empty()) error.code = ErrorCode::invalid_json;
  return error;
}

bool is_object(const Json& given, SpecContext& context) {
  if (given.is(Json::Kind::object)) return true;
  const std::string prefix = std::exchange(context.prefix, "");
  const std::string field = prefix.empty() ? "service" : prefix.substr(0, prefix.size() - 1);
  context.fault(field,
                "is " + shown(given) + "; it must be an object with the fields of a service");
  context.prefix = prefix;
  return false;
}

struct Reading {
  const Json& given;  // as the user wrote it
  const std::string& base_dir;
  Origin origin;
  const ActionKind* given_action;  // given beside the text; null: none
};

// Gives `spec` the port and the command of the replica with that index.
void take_place(ServiceSpec& spec, const ProcessPlan& plan, int index, const std::optional<Url>& url) {
  std::optional<std::uint16_t> port;
  if (!plan.ports.empty()) port = plan.ports[static_cast<std::size_t>(index)];
  if (url && port) {
    spec.endpoint = Endpoint{with_port(*url, *port).text};
    spec.target.port = *port;
  }
  spec.process = substituted(plan.launch, port, index);
}

// The services of an entry: one, or one for each replica.
std::vector<SpecPtr> expand(const Reading& reading, ServiceSpec written, const std::optional<Url>& url,
                            const ProcessPlan* plan) {
  if (written.replicas == 1) {
    const auto spec = std::make_shared<ServiceSpec>(std::move(written));
    if (plan) take_place(*spec, *plan, 0, url);
    spec->config = echo_config(reading.given, *spec);
    return {spec};
  }
  written.process = plan->launch;
  written.config = echo_config(reading.given, written);
  const auto entry = std::make_shared<const ServiceSpec>(std::move(written));
  std::vector<SpecPtr> specs;
  for (int i = 0; i < entry->replicas; ++i) {
    const auto spec = std::make_shared<ServiceSpec>(*entry);
    spec->entry = entry;
    spec->id = instance_id(entry->id, i);
    take_place(*spec, *plan, i, url);
    spec->config = echo_config(reading.given, *spec);
    specs.push_back(spec);
  }
  return specs;
}

// `given`, but with this `process`.
std::string source_text(const Json& given, const Json& process) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  for (const auto& [key, value] : given.members) {
    json.text_key(key);
    json.raw(json_text(key == "process" ? process : value));
  }
  json.end_object();
  return text;
}

// The services of one entry; empty if the context has faults.
std::vector<SpecPtr> read_entry(const Reading& reading, SpecContext& context) {
  const std::size_t faults_before = context.faults.size();
  CheckedObject service(Section::service, reading.given, "", context);
  ServiceSpec spec;
  spec.origin = reading.origin;
  spec.id = service.text_or("id", "");
  if (service.given("name")) spec.own_name = service.text_or("name", "");
  spec.type = service.text_or("type", "");
  const std::optional<Url> url = read_endpoint(service);
  if (url) spec.endpoint = Endpoint{url->text};
  spec.explicit_group = service.given("group");
  if (spec.explicit_group) spec.own_group = service.text_or("group", "");
  spec.priority = service.integer_or("priority", spec.priority);
  spec.weight = service.number("weight");
  spec.dependencies = read_dependencies(service, context);
  CheckPlan check = read_check(service, url, context);
  spec.target = std::move(check.target);
  spec.probe = std::move(check.spec);
  spec.action = read_action(service, reading.given_action, context);
  spec.restart = read_restart_policy(service, *spec.action, spec.endpoint.has_value());

  std::optional<ProcessPlan> plan;
  Json process;
  if (const Json* given = service.get("process")) {
    process = *given;
    resolve_paths(process, reading.base_dir);
    plan = read_process(process, url, service.given("endpoint"), context);
    spec.replicas = plan->replicas;
  }
  spec.outlives_stop = service.text_or("orphanPolicy", "stop") == "keep";
  if (spec.outlives_stop && !plan) {
    service.fault("orphanPolicy", "is \"keep\", but there is no `process`; add one that says what to run");
  }
  if (context.faults.size() != faults_before || context.full()) return {};
  // Nothing in the echo is masked if there is nothing to run. Then the echo has everything that was given.
  if (spec.action->acts) {
    spec.source_json = std::make_shared<const std::string>(source_text(reading.given, process));
  }
  return expand(reading, std::move(spec), url, plan ? &*plan : nullptr);
}

// `given` is the request. Fields that the seed does not have come from `old`, which a file or Python registered.
Json laid_over(const Json& given, const Json& old, SpecContext& context) {
  Json merged;
  merged.kind = Json::Kind::object;
  for (const JsonMember& member : given.members) {
    const FieldRow* row = find_field(Section::service, member.key);
    if (!row || row->seed) {
      merged.members.push_back(member);
    } else if (const Json* kept = old.find(member.key); !kept || *kept != member.value) {
      context.fault(member.key,
                    "cannot be changed by a request: this service comes from the config file "
                    "or from Python; leave it out, or change it there");
    }
  }
  for (const JsonMember& member : old.members) {
    const FieldRow* row = find_field(Section::service, member.key);
    if (row && !row->seed) merged.members.push_back(member);
  }
  return merged;
}

}  // namespace

Result<std::vector<SpecPtr>> parse_service(std::string_view text, const ParseOptions& options) {
  std::vector<WideNumber> wide;
  Result<Json> given = read_json(text, wide);
  if (!given) return std::move(given).error();
  SpecContext context;
  if (!is_object(given.value(), context)) return *error_of(context, wide);
  const bool rest = options.origin == Origin::rest;
  if (rest) {
    if (auto forbidden = find_command(given.value(), "")) return *std::move(forbidden);
  }
  context.units = !rest;
  context.keep_unknown = rest;
  auto specs =
      read_entry({given.value(), options.base_dir, options.origin, options.given_action}, context);
  if (auto wrong = error_of(context, wide)) return *std::move(wrong);
  return specs;
}

Result<std::vector<SpecPtr>> parse_services(std::string_view text, const ParseOptions& options) {
  Result<Json> list = read_json(text);
  if (!list) return std::move(list).error();
  SpecContext context;
  if (!list.value().is(Json::Kind::array)) {
    context.fault("services", is_but_must_be(list.value(), "a list of services"));
    return error_of(context);
  }
  const bool rest = options.origin == Origin::rest;
  context.units = !rest;
  context.keep_unknown = rest;
  std::vector<SpecPtr> specs;
  specs.reserve(list.value().items.size());
  for (std::size_t i = 0; i < list.value().items.size(); ++i) {
    const Json& given = list.value().items[i];
    context.prefix = index_path("services", i) + ".";
    if (!is_object(given, context)) continue;
    if (rest) {
      if (auto forbidden = find_command(given, context.prefix)) return *std::move(forbidden);
    }
    auto entry = read_entry({given, options.base_dir, options.origin, nullptr}, context);
    specs.insert(specs.end(), std::make_move_iterator(entry.begin()),
                 std::make_move_iterator(entry.end()));
  }
  context.prefix.clear();
  if (!context.faults.empty()) return error_of(context);
  return specs;
}

Result<std::vector<SpecPtr>> parse_over(std::string_view text, const ServiceSpec& old) {
  std::vector<WideNumber> wide;
  Result<Json> given = read_json(text, wide);
  if (!given) return std::move(given).error();
  const Result<Json> source = read_json(old.source());
  SpecContext context;
  if (!is_object(given.value(), context)) return *error_of(context, wide);
  if (!source) return source.error();
  if (auto forbidden = find_command(given.value(), "")) return *std::move(forbidden);

  // 1. Check the request alone, by the rules of requests (no "30s").
  context.keep_unknown = true;
  const CheckedObject own(Section::service, given.value(), "", context);
  // 2. Check both merged, by the rules of the owner.
  const Json merged = laid_over(given.value(), source.value(), context);
  SpecContext whole;
  whole.units = true;
  whole.keep_unknown = true;
  const std::string base_dir;
  const ActionKind* given_action = old.action->acts && !old.process ? old.action : nullptr;
  auto specs = read_entry({merged, base_dir, old.origin, given_action}, whole);
  for (Fault& fault : whole.faults) {
    const bool known = std::any_of(context.faults.begin(), context.faults.end(),
                                   [&](const Fault& other) { return other.field == fault.field; });
    if (!known) context.faults.push_back(std::move(fault));
  }
  if (auto wrong = error_of(context, wide)) return *std::move(wrong);
  return specs;
}

}  // namespace azora
