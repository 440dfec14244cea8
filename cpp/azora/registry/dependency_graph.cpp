#include "azora/registry/dependency_graph.hpp"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace azora::registry {

const DependencyGraph::Node* DependencyGraph::find(std::string_view entry) const {
  const auto place = nodes_.find(entry);
  return place == nodes_.end() ? nullptr : &place->second;
}

DependencyGraph::Node& DependencyGraph::at(std::string_view entry) {
  if (const auto known = nodes_.find(entry); known != nodes_.end()) return known->second;
  const auto place = nodes_.try_emplace(std::string(entry)).first;
  Node& node = place->second;
  node.name = &place->first;
  if (const std::optional<Item> item = registered_(entry)) set(node, *item);
  return node;
}

void DependencyGraph::set(Node& node, const Item& item) {
  node.registered = true;
  node.priority = item.entry->priority;
  node.replicas = item.entry->replicas;
  node.order = item.order;
}

void DependencyGraph::put(std::span<const Item> batch) {
  std::vector<Node*> changed;
  changed.reserve(batch.size());
  std::vector<std::string> loose;
  for (const Item& item : batch) {
    if (item.entry->dependencies.empty() && find(item.entry->id) == nullptr) continue;
    Node& node = at(item.entry->id);
    set(node, item);
    replace_edges(node, item.entry->dependencies, loose);
    if (node.edges.empty()) loose.push_back(node.id());
    const bool changes_no_rank = node.edges.empty() && node.rank == 0;
    if (!changes_no_rank) changed.push_back(&node);
  }
  // For one change the walk can stop early where ranks stay the same. For many changes all nodes are ordered once.
  if (changed.size() == 1) {
    update_rank(*changed.front());
  } else {
    update_ranks(changed);
  }
  drop_loose(loose);
}

void DependencyGraph::erase(std::string_view entry) {
  const auto place = nodes_.find(entry);
  if (place == nodes_.end() || !place->second.registered) return;
  Node& node = place->second;
  node.registered = false;
  std::vector<std::string> loose = {node.id()};
  replace_edges(node, {}, loose);
  update_rank(node);
  drop_loose(loose);
}

// Runs only at the end of a change: until then other nodes may still refer to a node that has lost its last edge.
void DependencyGraph::drop_loose(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto place = nodes_.find(name);
    if (place == nodes_.end()) continue;
    if (place->second.edges.empty() && place->second.dependents.empty()) nodes_.erase(place);
  }
}

void DependencyGraph::replace_edges(Node& node, const std::vector<Dependency>& dependencies,
                                    std::vector<std::string>& loose) {
  std::vector<Node*> targets;
  targets.reserve(dependencies.size());
  for (const Dependency& dependency : dependencies) targets.push_back(&at(entry_of(dependency.id)));
  std::vector<Edge> old = std::move(node.edges);
  node.edges.clear();
  for (const Edge& edge : old) {
    auto& backs = edge.to->dependents;
    // The last one moves into the free place, and its edge is updated. That edge may be one of the old edges of `node`.
    backs[edge.back] = backs.back();
    const Back moved = backs[edge.back];
    (moved.from == &node ? old[moved.edge] : moved.from->edges[moved.edge]).back = edge.back;
    backs.pop_back();
  }
  node.edges.reserve(dependencies.size());
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    auto& backs = targets[i]->dependents;
    node.edges.push_back({targets[i], dependencies[i], backs.size()});
    backs.push_back({&node, i});
  }
  for (const Edge& edge : old) {
    if (edge.to->dependents.empty()) loose.push_back(edge.to->id());
  }
}

int DependencyGraph::rank_by_edges(const Node& node) {
  int rank = 0;
  for (const Edge& edge : node.edges) rank = std::max(rank, edge.to->rank + 1);
  return rank;
}

// Only edges out of `node` changed. So the old ranks still order all nodes above it, and each of these nodes is visited
// once, after every node below it.
void DependencyGraph::update_rank(Node& node) {
  using Due = std::pair<int, Node*>;  // old rank, node
  const auto later = [](const Due& a, const Due& b) { return a.first > b.first; };
  std::priority_queue<Due, std::vector<Due>, decltype(later)> due(later);
  std::unordered_set<const Node*> queued;
  const auto correct = [&](Node& changed) {
    const int rank = rank_by_edges(changed);
    if (rank == changed.rank) return;
    changed.rank = rank;
    for (const Back& back : changed.dependents) {
      if (queued.insert(back.from).second) due.push({back.from->rank, back.from});
    }
  };
  correct(node);
  while (!due.empty()) {
    Node* next = due.top().second;
    due.pop();
    correct(*next);
  }
}

// Finds all nodes above the changed ones and orders them by their dependencies on each other.
void DependencyGraph::update_ranks(const std::vector<Node*>& changed) {
  std::unordered_map<Node*, std::size_t> waits_for;  // affected node -> affected dependencies without new rank
  std::vector<Node*> found = changed;
  for (Node* node : changed) waits_for.emplace(node, 0);
  while (!found.empty()) {
    const Node* node = found.back();
    found.pop_back();
    for (const Back& back : node->dependents) {
      const auto [place, is_new] = waits_for.emplace(back.from, 0);
      ++place->second;
      if (is_new) found.push_back(back.from);
    }
  }
  std::vector<Node*> ready;
  for (const auto& [node, count] : waits_for) {
    if (count == 0) ready.push_back(node);
  }
  while (!ready.empty()) {
    Node* node = ready.back();
    ready.pop_back();
    node->rank = rank_by_edges(*node);
    for (const Back& back : node->dependents) {
      if (--waits_for[back.from] == 0) ready.push_back(back.from);
    }
  }
}

}  // namespace azora::registry
