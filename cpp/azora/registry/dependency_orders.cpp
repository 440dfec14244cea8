// Queries of a DependencyGraph: ranks, dependents, dependencies.
#include <algorithm>
#include <unordered_set>

#include "azora/registry/dependency_graph.hpp"

namespace azora::registry {

bool DependencyGraph::starts_before(const Node* a, const Node* b) {
  if (a->rank != b->rank) return a->rank < b->rank;
  if (a->priority != b->priority) return a->priority > b->priority;
  return a->order < b->order;
}

std::vector<std::string> DependencyGraph::ids_of(std::vector<const Node*> nodes, bool backwards) {
  std::sort(nodes.begin(), nodes.end(), [backwards](const Node* a, const Node* b) {
    return backwards ? starts_before(b, a) : starts_before(a, b);
  });
  std::vector<std::string> ids;
  ids.reserve(nodes.size());
  for (const Node* node : nodes) ids.push_back(node->id());
  return ids;
}

int DependencyGraph::rank(std::string_view id) const {
  const Node* node = find(entry_of(id));
  return node ? node->rank : 0;
}

std::vector<std::string> DependencyGraph::dependents(std::string_view id) const {
  std::vector<const Node*> found;
  if (const Node* node = find(entry_of(id))) {
    for (const Back& back : node->dependents) {
      if (touches(back.from->edges[back.edge].dependency, id)) found.push_back(back.from);
    }
  }
  std::sort(found.begin(), found.end());  // an entry may need it by several dependencies
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return ids_of(std::move(found), false);
}

std::vector<std::string> DependencyGraph::all_dependents(std::string_view id, const Feels& feels) const {
  std::vector<const Node*> found;
  const Node* start = find(entry_of(id));
  if (!start) return {};
  std::unordered_set<const Node*> seen = {start};
  std::vector<const Node*> open = {start};
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Back& back : node->dependents) {
      const Dependency& dependency = back.from->edges[back.edge].dependency;
      if (dependency.strength != Strength::hard) continue;
      if (node == start && (!touches(dependency, id) || (feels && !feels(dependency)))) continue;
      if (!seen.insert(back.from).second) continue;
      found.push_back(back.from);
      open.push_back(back.from);
    }
  }
  return ids_of(std::move(found), true);
}

std::vector<std::string> DependencyGraph::all_dependencies(std::string_view id) const {
  const Node* start = find(entry_of(id));
  if (!start) return {};
  std::vector<std::pair<const Node*, std::string_view>> found;  // with the name by which it is needed
  std::unordered_set<std::string_view> named;
  std::unordered_set<const Node*> seen = {start};
  std::vector<const Node*> open = {start};
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Edge& edge : node->edges) {
      if (edge.dependency.strength != Strength::hard || !edge.to->registered) continue;
      if (named.insert(edge.dependency.id).second) found.emplace_back(edge.to, edge.dependency.id);
      if (seen.insert(edge.to).second) open.push_back(edge.to);
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first == b.first ? a.second < b.second : starts_before(a.first, b.first);
  });
  std::vector<std::string> names;
  for (const auto& [node, name] : found) names.emplace_back(name);
  return names;
}

}  // namespace azora::registry
