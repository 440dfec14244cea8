#pragma once
// Which entry needs which. A dependency names an entry or one instance of it; for cycles, ranks and orders both are
// edges to the entry. An entry may name one that is not registered. Its place is kept, and if its registration would
// close a cycle, that is refused. Rank: 0 without dependencies, otherwise one more than the largest rank among them,
// whatever their strength. So services can start in the order of ranks and stop in the reverse order. The methods take
// names of entries or of instances, unless said otherwise. An entry without dependencies and without dependents has no
// node here; most entries of a large fleet are like that.
// Threads: control thread. Ownership: ids are copied in; results do not refer to the graph. Fails: only check(); put()
// cannot fail after check() has passed. Cost: of a change in proportion to the entries whose rank it changes and to
// their edges, never to the fleet.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/service_name.hpp"
#include "azora/model/service_spec.hpp"
#include "azora/registry/id_map.hpp"

namespace azora::registry {

class DependencyGraph {
 public:
  struct Item {
    SpecPtr entry;
    std::uint64_t order;  // of registration; breaks ties
  };
  // The registered entry with that name; nullopt: there is none.
  using Registered = std::function<std::optional<Item>(std::string_view entry)>;

  explicit DependencyGraph(Registered registered) : registered_(std::move(registered)) {}
  DependencyGraph(const DependencyGraph&) = delete;
  DependencyGraph& operator=(const DependencyGraph&) = delete;

  // Checks whether all these entries together may be put. Changes nothing. dependency_cycle: the message has the path,
  // "a -> b -> a". invalid_spec: a dependency would need more instances than a registered entry has.
  Result<void> check(std::span<const SpecPtr> entries) const;
  // Adds or replaces entries. They are registered by now, and their check() has passed since the last change.
  void put(std::span<const Item> batch);
  // `id` is the name of an entry.
  void erase(std::string_view entry);

  int rank(std::string_view id) const;  // 0 for an unknown id

  // Calls visit(entry, dependency) for each registered entry that needs `id` (registered or not), once for each such
  // dependency, in no order. An instance is needed by entries that name it or its entry; an entry is also needed by
  // those that name one of its instances.
  template <typename Visit>
  void for_each_dependent(std::string_view id, Visit visit) const {
    const Node* node = find(entry_of(id));
    if (node == nullptr) return;
    for (const Back& back : node->dependents) {
      const Dependency& dependency = back.from->edges[back.edge].dependency;
      if (touches(dependency, id)) visit(back.from->id(), dependency);
    }
  }
  // The entries that need `id` directly, in start order.
  std::vector<std::string> dependents(std::string_view id) const;
  // The entries that need `id` directly or indirectly; the one to stop first comes first. Only hard edges count.
  // `feels` says whether a direct dependency counts.
  using Feels = std::function<bool(const Dependency&)>;
  std::vector<std::string> all_dependents(std::string_view id, const Feels& feels = nullptr) const;
  // The registered dependencies, direct or indirect, as dependencies name them, in start order. Only hard edges count.
  std::vector<std::string> all_dependencies(std::string_view id) const;

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
    int replicas = 1;
    std::uint64_t order = 0;
    std::vector<Edge> edges;       // its dependencies, as given
    std::vector<Back> dependents;  // its dependents, in no order
    const std::string& id() const { return *name; }
  };

  static bool touches(const Dependency& dependency, std::string_view id) {
    return names_service(dependency.id, id) || names_service(id, dependency.id);
  }
  const Node* find(std::string_view entry) const;
  Node& at(std::string_view entry);  // adds the node if there is none
  std::vector<Fault> too_few_instances(std::span<const SpecPtr> entries) const;
  static void set(Node& node, const Item& item);
  // Adds to `loose` the names of nodes that may have lost their last edge.
  void replace_edges(Node& node, const std::vector<Dependency>& dependencies, std::vector<std::string>& loose);
  void drop_loose(const std::vector<std::string>& names);
  static int rank_by_edges(const Node& node);
  static void update_rank(Node& node);
  static void update_ranks(const std::vector<Node*>& changed);
  static bool starts_before(const Node* a, const Node* b);
  static std::vector<std::string> ids_of(std::vector<const Node*> nodes, bool backwards);

  Registered registered_;
  IdMap<Node> nodes_;  // entries that have an edge
};

}  // namespace azora::registry
