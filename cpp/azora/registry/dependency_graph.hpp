#pragma once
// Who needs whom. A service may name one that is not registered: its place is kept, and a cycle
// that would close through it is refused when it is registered. Rank: 0 without dependencies, else
// one more than the largest among them, whatever their strength. So the order of ranks is an order
// in which to start, and backwards one in which to stop. Threads: control thread. Ownership: ids
// are copied in; nothing handed out is referred to later. Fails: check() alone; put() after a
// passed check() cannot. Cost: of a change in proportion to the services whose rank it changes and
// to their edges, never to the fleet.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/registry/id_map.hpp"

namespace azora::registry {

// One line of a dependency tree, parents before children.
struct TreeLine {
  std::string id;
  int depth = 0;  // 0: the service asked about
  Condition condition = Condition::healthy;
  Strength strength = Strength::hard;
  bool missing = false;   // not registered
  bool repeated = false;  // its own dependencies stand at an earlier line
};

class DependencyGraph {
 public:
  DependencyGraph() = default;
  DependencyGraph(const DependencyGraph&) = delete;
  DependencyGraph& operator=(const DependencyGraph&) = delete;

  struct Item {
    SpecPtr spec;
    std::uint64_t order;  // of registration; breaks ties
  };

  // May these be put, all together? Changes nothing. dependency_cycle: the message has the path,
  // "a -> b -> a".
  Result<void> check(std::span<const SpecPtr> batch) const;
  // Adds or replaces. check() of the same specs has passed since the last change.
  void put(std::span<const Item> batch);
  void erase(std::string_view id);

  bool contains(std::string_view id) const;  // registered
  int rank(std::string_view id) const;       // 0 for an unknown id
  // Ids that `id` needs and that are not registered, in the order of its dependencies.
  std::vector<std::string> missing(std::string_view id) const;

  // Calls visit(id, dependency) for each registered service that names `id` (registered or not); no
  // order.
  template <typename Visit>
  void for_each_dependent(std::string_view id, Visit visit) const {
    if (const Node* node = find(id)) {
      for (const Back& back : node->dependents)
        visit(back.from->id(), back.from->edges[back.edge].dependency);
    }
  }
  // Who names `id` directly, in start order.
  std::vector<std::string> dependents(std::string_view id) const;
  // Who needs it through any number of steps: those to be stopped first come first; by hard edges
  // only.
  std::vector<std::string> all_dependents(std::string_view id) const;
  // What it needs through any number of steps, registered, in start order; by hard edges only.
  std::vector<std::string> all_dependencies(std::string_view id) const;
  // Empty for an id that is not registered.
  std::vector<TreeLine> tree(std::string_view id) const;

  // All registered services: by rank, then higher priority, then order of registration.
  std::vector<std::string> start_order() const;
  // All registered services in levels, highest rank first: a level may stop at once when those
  // before it have.
  std::vector<std::vector<std::string>> stop_levels() const;

 private:
  struct Node;
  struct Edge {
    Node* to;
    Dependency dependency;
    std::size_t back;  // its place in to->dependents
  };
  struct Back {
    Node* from;
    std::size_t edge;  // its place in from->edges
  };
  struct Node {
    const std::string* name = nullptr;  // its key in nodes_
    bool registered = false;
    int rank = 0;
    int priority = 0;
    std::uint64_t order = 0;
    std::vector<Edge> edges;       // what it needs, as given
    std::vector<Back> dependents;  // who needs it, in no order
    const std::string& id() const { return *name; }
  };

  const Node* find(std::string_view id) const;
  Node& at(const std::string& id);  // makes a place when there is none
  void replace_edges(Node& node, const std::vector<Dependency>& dependencies);
  void remove_edges(Node& node);
  static int rank_by_edges(const Node& node);
  static void update_rank(Node& node);
  static void update_ranks(const std::vector<Node*>& changed);
  static bool starts_before(const Node* a, const Node* b);
  static std::vector<std::string> ids_of(std::vector<const Node*> nodes, bool backwards);

  IdMap<Node> nodes_;
};

}  // namespace azora::registry
