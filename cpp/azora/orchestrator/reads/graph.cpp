#include "azora/orchestrator/reads/graph.hpp"

#include "azora/model/json_writer.hpp"

namespace azora::orchestrator {
namespace {

std::string_view condition_name(Condition condition) {
  switch (condition) {
    case Condition::started: return "started";
    case Condition::healthy: return "healthy";
    case Condition::completed: return "completed";
  }
  return "healthy";
}

void strings(JsonWriter& json, const std::vector<std::string>& values) {
  json.begin_array();
  for (const std::string& value : values) json.string(value);
  json.end_array();
}

}  // namespace

Result<std::string> dependencies_json(const Fleet& fleet, std::string_view id) {
  const ServiceState* service = fleet.find(id);
  if (service == nullptr) return Error{ErrorCode::unknown_service, "Service not found", {}};
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(*service->id);
  json.key("dependencies");
  json.begin_array();
  for (const Dependency& dependency : service->spec->dependencies) {
    const ServiceState* other = fleet.find(dependency.id);
    json.begin_object();
    json.key("id");
    json.string(dependency.id);
    json.key("condition");
    json.string(condition_name(dependency.condition));
    json.key("strength");
    json.string(dependency.strength == Strength::hard ? "hard" : "soft");
    json.key("satisfied");
    json.boolean(fleet.satisfied(dependency));
    json.key("missing");
    json.boolean(other == nullptr);
    json.key("status");
    json.string(wire_name(other ? other->status : HealthStatus::unknown));
    json.end_object();
  }
  json.end_array();
  json.key("dependents");
  strings(json, fleet.graph().dependents(id));
  json.key("tree");
  json.begin_array();
  for (const registry::TreeLine& line : fleet.graph().tree(id)) {
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

std::string graph_json(const Fleet& fleet) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("nodes");
  json.begin_array();
  fleet.registry().for_each([&](const registry::Entry& entry) {
    const ServiceState* service = fleet.by_serial(entry.serial);
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
    json.integer(fleet.graph().rank(entry.spec->id));
    json.end_object();
  });
  json.end_array();
  json.key("edges");
  json.begin_array();
  fleet.registry().for_each([&](const registry::Entry& entry) {
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
      json.boolean(fleet.satisfied(dependency));
      json.end_object();
    }
  });
  json.end_array();
  json.key("startOrder");
  strings(json, fleet.graph().start_order());
  json.end_object();
  return out;
}

}  // namespace azora::orchestrator
