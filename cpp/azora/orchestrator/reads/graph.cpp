#include "azora/orchestrator/reads/graph.hpp"

#include <unordered_set>
#include <vector>

#include "azora/model/json_writer.hpp"

namespace azora::orchestrator {
namespace {

void write_node(JsonWriter& json, const ServiceView& view, int rank) {
  json.begin_object();
  json.key("id");
  json.string(view.spec->id);
  json.key("type");
  json.string(view.spec->type);
  json.key("status");
  json.string(wire_name(view.status));
  json.key("lifecycle");
  json.string(wire_name(view.lifecycle));
  json.key("rank");
  json.integer(rank);
  json.end_object();
}

void write_edge(JsonWriter& json, const Board& board, const ServiceSpec& from, const Dependency& dependency) {
  json.begin_object();
  json.key("from");
  json.string(from.id);
  json.key("to");
  json.string(dependency.id);
  json.key("condition");
  json.string(wire_name(dependency.condition));
  json.key("strength");
  json.string(wire_name(dependency.strength));
  json.key("satisfied");
  json.boolean(satisfied(board, dependency));
  json.end_object();
}

void write_dependency(JsonWriter& json, const Board& board, const Dependency& dependency) {
  const ViewPtr* other = board.by_id.find(dependency.id);
  json.begin_object();
  json.key("id");
  json.string(dependency.id);
  json.key("condition");
  json.string(wire_name(dependency.condition));
  json.key("strength");
  json.string(wire_name(dependency.strength));
  json.key("satisfied");
  json.boolean(satisfied(board, dependency));
  json.key("missing");
  json.boolean(other == nullptr);
  json.key("status");
  json.string(wire_name(other != nullptr ? (*other)->status : HealthStatus::unknown));
  json.end_object();
}

// Parents before children; what was shown is not opened again.
void write_tree(JsonWriter& json, const Board& board, std::string_view root) {
  struct Due {
    std::string_view id;
    int depth;
  };
  std::unordered_set<std::string_view> shown;
  std::vector<Due> due = {{root, 0}};
  json.begin_array();
  while (!due.empty()) {
    const Due next = due.back();
    due.pop_back();
    const ViewPtr* view = board.by_id.find(next.id);
    json.begin_object();
    json.key("id");
    json.string(next.id);
    json.key("depth");
    json.integer(next.depth);
    json.key("missing");
    json.boolean(view == nullptr);
    json.end_object();
    if (view == nullptr || !shown.insert(next.id).second) continue;
    const std::vector<Dependency>& needs = (*view)->spec->dependencies;
    for (auto need = needs.rbegin(); need != needs.rend(); ++need) due.push_back({need->id, next.depth + 1});
  }
  json.end_array();
}

}  // namespace

std::shared_ptr<const GraphReads::Fixed> GraphReads::fixed_of(const Board& board) {
  const std::shared_ptr<const Topology> topology = topology_.of(board);
  MutexLock lock(mutex_);
  if (fixed_ && fixed_->topology == topology) return fixed_;
  auto made = std::make_shared<Fixed>();
  made->topology = topology;
  JsonWriter json(made->start_order);
  json.begin_array();
  for (const std::uint32_t place : topology->start_order()) json.string(topology->specs()[place]->id);
  json.end_array();
  fixed_ = made;
  return made;
}

Body GraphReads::graph(const Moment& moment) {
  // Figures are no part of it.
  const Moment still{.board = moment.board, .now = moment.now};
  return body_.fresh(still, bytes_made_, [&](std::string& out) {
    const Board& board = *moment.board;
    const std::shared_ptr<const Fixed> fixed = fixed_of(board);
    JsonWriter json(out);
    json.begin_object();
    json.key("nodes");
    json.begin_array();
    std::size_t place = 0;
    const std::vector<int>& ranks = fixed->topology->ranks();
    board.in_order.for_each([&](const ViewPtr& view) { write_node(json, *view, ranks[place++]); });
    json.end_array();
    json.key("edges");
    json.begin_array();
    board.in_order.for_each([&](const ViewPtr& view) {
      for (const Dependency& dependency : view->spec->dependencies) write_edge(json, board, *view->spec, dependency);
    });
    json.end_array();
    json.key("startOrder");
    json.raw(fixed->start_order);
    json.end_object();
  });
}

Result<std::string> GraphReads::dependencies(const Board& board, std::string_view id) {
  const ViewPtr* found = board.by_id.find(id);
  if (found == nullptr) return Error{ErrorCode::unknown_service, "Service not found", {}};
  const ServiceSpec& spec = *(*found)->spec;
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(spec.id);
  json.key("dependencies");
  json.begin_array();
  for (const Dependency& dependency : spec.dependencies) write_dependency(json, board, dependency);
  json.end_array();
  json.key("dependents");
  json.begin_array();
  const std::shared_ptr<const Topology> topology = topology_.of(board);
  for (const std::uint32_t place : topology->dependents(id)) json.string(topology->specs()[place]->id);
  json.end_array();
  json.key("tree");
  write_tree(json, board, spec.id);
  json.end_object();
  bytes_made_.fetch_add(out.size(), std::memory_order_relaxed);
  return out;
}

}  // namespace azora::orchestrator
