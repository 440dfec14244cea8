#include <unordered_map>

#include "azora/model/service_name.hpp"
#include "azora/model/spec_parts.hpp"

namespace azora {
namespace {

Condition condition_of(const std::string& word) {
  if (word == "started") return Condition::started;
  return word == "completed" ? Condition::completed : Condition::healthy;
}

std::optional<Dependency> read_dependency(const Json& item, const std::string& path,
                                          SpecContext& context) {
  Dependency dependency;
  if (item.is(Json::Kind::string)) {
    dependency.id = item.text;
  } else if (item.is(Json::Kind::object)) {
    const CheckedObject fields(Section::dependency, item, path, context);
    const Json* id = fields.get("id");
    if (!id) return std::nullopt;
    if (!id->is(Json::Kind::string) || !is_service_id(id->text)) {
      context.fault(fields.path_of("id"), is_but_must_be(*id, "the id of a service"));
      return std::nullopt;
    }
    dependency.id = id->text;
    dependency.condition = condition_of(fields.text_or("condition", "healthy"));
    if (fields.text_or("strength", "hard") == "soft") dependency.strength = Strength::soft;
    dependency.min = fields.integer_or("min", dependency.min);
    if (fields.text_or("onRestart", "none") == "restart") dependency.on_restart = OnRestart::restart;
    if (dependency.min > 1 && instance_index(dependency.id)) {
      context.fault(fields.path_of("min"), "is " + std::to_string(dependency.min) + ", but \"" + dependency.id +
                                               "\" is one instance; name \"" +
                                               std::string(entry_of(dependency.id)) + "\" or leave min out");
    }
  }
  if (!is_service_id(dependency.id)) {
    context.fault(
        path, is_but_must_be(item, "the id of a service, or an object {id, condition, strength, min, onRestart}"));
    return std::nullopt;
  }
  return dependency;
}

}  // namespace

std::vector<Dependency> read_dependencies(const CheckedObject& service, SpecContext& context) {
  std::vector<Dependency> dependencies;
  const Json* list = service.get("dependencies");
  if (!list) return dependencies;
  if (list->items.size() > kMaxDependencies) {
    context.fault("dependencies", "has " + std::to_string(list->items.size()) + " entries; it must be a list of at most " +
                                      std::to_string(kMaxDependencies) + " service ids");
    return dependencies;
  }
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const std::string path = index_path("dependencies", i);
    auto dependency = read_dependency(list->items[i], path, context);
    if (!dependency) continue;
    const auto [first, is_new] = places.emplace(dependency->id, i);
    if (is_new) {
      dependencies.push_back(std::move(*dependency));
    } else {
      context.fault(path, "names \"" + dependency->id + "\", as " +
                              index_path("dependencies", first->second) +
                              " does; leave one of them out");
    }
  }
  return dependencies;
}

}  // namespace azora
