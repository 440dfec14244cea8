// What can be asked of a DependencyGraph: dependents, trees and orders.
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

bool DependencyGraph::contains(std::string_view id) const {
  const Node* node = find(id);
  return node && node->registered;
}

int DependencyGraph::rank(std::string_view id) const {
  const Node* node = find(id);
  return node ? node->rank : 0;
}

std::vector<std::string> DependencyGraph::missing(std::string_view id) const {
  std::vector<std::string> ids;
  const Node* node = find(id);
  if (!node) return ids;
  for (const Edge& edge : node->edges) {
    if (!edge.to->registered) ids.push_back(edge.to->id());
  }
  return ids;
}

std::vector<std::string> DependencyGraph::dependents(std::string_view id) const {
  std::vector<const Node*> found;
  if (const Node* node = find(id)) {
    for (const Back& back : node->dependents) found.push_back(back.from);
  }
  return ids_of(std::move(found), false);
}

std::vector<std::string> DependencyGraph::all_dependents(std::string_view id) const {
  std::vector<const Node*> found;
  const Node* start = find(id);
  if (!start) return {};
  std::unordered_set<const Node*> seen = {start};
  std::vector<const Node*> open = {start};
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Back& back : node->dependents) {
      const bool hard = back.from->edges[back.edge].dependency.strength == Strength::hard;
      if (!hard || !seen.insert(back.from).second) continue;
      found.push_back(back.from);
      open.push_back(back.from);
    }
  }
  return ids_of(std::move(found), true);
}

std::vector<std::string> DependencyGraph::all_dependencies(std::string_view id) const {
  std::vector<const Node*> found;
  const Node* start = find(id);
  if (!start) return {};
  std::unordered_set<const Node*> seen = {start};
  std::vector<const Node*> open = {start};
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Edge& edge : node->edges) {
      const bool hard = edge.dependency.strength == Strength::hard;
      if (!hard || !edge.to->registered || !seen.insert(edge.to).second) continue;
      found.push_back(edge.to);
      open.push_back(edge.to);
    }
  }
  return ids_of(std::move(found), false);
}

std::vector<TreeLine> DependencyGraph::tree(std::string_view id) const {
  std::vector<TreeLine> lines;
  const Node* root = find(id);
  if (!root || !root->registered) return lines;
  struct Due {
    const Node* node;
    const Dependency* as;  // null: the root
    int depth;
  };
  std::unordered_set<const Node*> shown;
  std::vector<Due> due = {{root, nullptr, 0}};
  while (!due.empty()) {
    const Due next = due.back();
    due.pop_back();
    TreeLine& line = lines.emplace_back();
    line.id = next.node->id();
    line.depth = next.depth;
    if (next.as) {
      line.condition = next.as->condition;
      line.strength = next.as->strength;
    }
    line.missing = !next.node->registered;
    const bool first = shown.insert(next.node).second;
    line.repeated = !first && !next.node->edges.empty();
    if (!first) continue;
    const auto& edges = next.node->edges;
    for (auto edge = edges.rbegin(); edge != edges.rend(); ++edge) {
      due.push_back({edge->to, &edge->dependency, next.depth + 1});
    }
  }
  return lines;
}

std::vector<std::string> DependencyGraph::start_order() const {
  std::vector<const Node*> all;
  for (const auto& [id, node] : nodes_) {
    if (node.registered) all.push_back(&node);
  }
  return ids_of(std::move(all), false);
}

std::vector<std::vector<std::string>> DependencyGraph::stop_levels() const {
  std::vector<std::vector<std::string>> levels;
  const std::vector<std::string> order = start_order();
  int last_rank = -1;
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    const int its_rank = rank(*id);
    if (levels.empty() || its_rank != last_rank) levels.emplace_back();
    last_rank = its_rank;
    levels.back().push_back(*id);
  }
  return levels;
}

}  // namespace azora::registry
