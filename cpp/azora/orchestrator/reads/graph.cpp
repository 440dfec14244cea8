#include "azora/orchestrator/reads/graph.hpp"

#include <unordered_set>
#include <vector>

#include "azora/model/json_writer.hpp"
#include "azora/model/service_name.hpp"
#include "azora/orchestrator/reads/entry.hpp"

namespace azora::orchestrator {
namespace {

void strings(JsonWriter& json, const std::vector<std::string>& values) {
  json.begin_array();
  for (const std::string& value : values) json.string(value);
  json.end_array();
}

// An entry, written as one service or as all its instances together.
void write_node(JsonWriter& json, const Board& board, const ServiceSpec& entry, int rank) {
  const std::vector<ViewPtr> views = board.services(entry.id);
  json.begin_object();
  json.key("id");
  json.string(entry.id);
  json.key("type");
  json.string(*entry.type);
  json.key("status");
  json.string(wire_name(status_of(views)));
  json.key("lifecycle");
  json.string(wire_name(lifecycle_of(views)));
  json.key("rank");
  json.integer(rank);
  if (const EntryOnBoardPtr* shown = board.entries.find(entry.id)) {
    json.key("instances");
    strings(json, (*shown)->services);
    json.key("ready");
    json.integer(static_cast<std::int64_t>(ready_of(views)));
  }
  json.end_object();
}

void write_terms(JsonWriter& json, const Board& board, const Dependency& dependency) {
  json.key("condition");
  json.string(wire_name(dependency.condition));
  json.key("strength");
  json.string(wire_name(dependency.strength));
  json.key("min");
  json.integer(dependency.min);
  json.key("satisfied");
  json.boolean(satisfied(board, dependency));
}

void write_edge(JsonWriter& json, const Board& board, const ServiceSpec& from, const Dependency& dependency) {
  json.begin_object();
  json.key("from");
  json.string(from.id);
  json.key("to");
  json.string(entry_of(dependency.id));
  if (instance_index(dependency.id)) {
    json.key("instance");
    json.string(dependency.id);
  }
  write_terms(json, board, dependency);
  json.end_object();
}

void write_dependency(JsonWriter& json, const Board& board, const Dependency& dependency) {
  const std::vector<ViewPtr> views = board.services(dependency.id);
  json.begin_object();
  json.key("id");
  json.string(dependency.id);
  write_terms(json, board, dependency);
  json.key("missing");
  json.boolean(views.empty());
  json.key("status");
  json.string(wire_name(status_of(views)));
  json.end_object();
}

// Parents come before children. An entry that was shown is not opened again.
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
    const std::vector<ViewPtr> views = board.services(next.id);
    json.begin_object();
    json.key("id");
    json.string(next.id);
    json.key("depth");
    json.integer(next.depth);
    json.key("missing");
    json.boolean(views.empty());
    json.end_object();
    if (views.empty() || !shown.insert(entry_of(next.id)).second) continue;
    const std::vector<Dependency>& needs = views.front()->spec->dependencies;
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
  for (const std::uint32_t place : topology->start_order()) json.string(topology->entries()[place]->id);
  json.end_array();
  fixed_ = made;
  return made;
}

Body GraphReads::graph(const Moment& moment) {
  // Figures do not appear in this text.
  const Moment still{.board = moment.board, .now = moment.now};
  return body_.fresh(still, bytes_made_, [&](std::string& out) {
    const Board& board = *moment.board;
    const std::shared_ptr<const Fixed> fixed = fixed_of(board);
    JsonWriter json(out);
    json.begin_object();
    json.key("nodes");
    json.begin_array();
    const std::vector<SpecPtr>& entries = fixed->topology->entries();
    const std::vector<int>& ranks = fixed->topology->ranks();
    for (std::size_t place = 0; place < entries.size(); ++place) {
      write_node(json, board, *entries[place], ranks[place]);
    }
    json.end_array();
    json.key("edges");
    json.begin_array();
    for (const SpecPtr& entry : entries) {
      for (const Dependency& dependency : entry->dependencies) write_edge(json, board, *entry, dependency);
    }
    json.end_array();
    json.key("startOrder");
    json.raw(fixed->start_order);
    json.end_object();
  });
}

Result<std::string> GraphReads::dependencies(const Board& board, std::string_view id) {
  const std::vector<ViewPtr> views = board.services(id);
  if (views.empty()) return Error{ErrorCode::unknown_service, "Service not found", {}};
  const ServiceSpec& spec = *views.front()->spec;
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(id);
  json.key("dependencies");
  json.begin_array();
  for (const Dependency& dependency : spec.dependencies) write_dependency(json, board, dependency);
  json.end_array();
  json.key("dependents");
  json.begin_array();
  const std::shared_ptr<const Topology> topology = topology_.of(board);
  for (const std::uint32_t place : topology->dependents(id)) json.string(topology->entries()[place]->id);
  json.end_array();
  json.key("tree");
  write_tree(json, board, id);
  json.end_object();
  bytes_made_.fetch_add(out.size(), std::memory_order_relaxed);
  return out;
}

}  // namespace azora::orchestrator
