#include <algorithm>
#include <unordered_map>

#include "azora/model/spec_parts.hpp"

namespace azora {
namespace {

// The id of a service, replicas ("orders@2") included.
bool is_service_id(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return is_word(text);
  const std::string_view index = text.substr(at + 1);
  return is_word(text.substr(0, at)) && !index.empty() && index.size() <= 4 &&
         std::all_of(index.begin(), index.end(), [](char c) { return c >= '0' && c <= '9'; });
}

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
  }
  if (!is_service_id(dependency.id)) {
    context.fault(
        path, is_but_must_be(item, "the id of a service, or an object {id, condition, strength}"));
    return std::nullopt;
  }
  return dependency;
}

}  // namespace

std::vector<Dependency> read_dependencies(const CheckedObject& service, SpecContext& context) {
  std::vector<Dependency> dependencies;
  const Json* list = service.get("dependencies");
  if (!list) return dependencies;
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
