// The search for cycles (DependencyGraph::check).
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "azora/registry/dependency_graph.hpp"

namespace azora::registry {
namespace {

enum class Mark : std::uint8_t { open, done };

// "a -> b -> a"
std::string path_text(const std::vector<std::string_view>& path, std::string_view again) {
  constexpr std::size_t kNamed = 20;  // a long cycle is named by its ends
  const auto start = std::find(path.begin(), path.end(), again);
  const auto length = static_cast<std::size_t>(path.end() - start);
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    if (length > kNamed && i == kNamed / 2) {
      text += ".. (" + std::to_string(length - kNamed) + " more) .. -> ";
      i = length - kNamed / 2;
    }
    text += std::string(start[static_cast<std::ptrdiff_t>(i)]) + " -> ";
  }
  return text += again;
}

}  // namespace

// Depth first from every service of the batch, over the edges as they would be. What was searched
// once is not searched again, and a service that nobody needs closes no cycle, so that registering
// one by one stays cheap under a deep fleet.
Result<void> DependencyGraph::check(std::span<const SpecPtr> batch) const {
  std::unordered_set<std::string_view> needed;  // by the batch itself
  for (const SpecPtr& spec : batch) {
    for (const Dependency& dependency : spec->dependencies) needed.insert(dependency.id);
  }
  const auto is_needed = [&](const SpecPtr& spec) {
    if (!needed.empty() && needed.contains(spec->id)) return true;
    const Node* known = find(spec->id);
    return known != nullptr && !known->dependents.empty();
  };
  if (std::none_of(batch.begin(), batch.end(), is_needed)) return {};

  std::unordered_map<std::string_view, const ServiceSpec*> overlay;
  for (const SpecPtr& spec : batch) overlay[spec->id] = spec.get();
  struct Step {
    const Node* node;         // edges of the graph, or
    const ServiceSpec* spec;  // of the batch; neither: a missing id
    std::size_t next = 0;
  };
  const auto step_of = [&](std::string_view id) {
    const auto place = overlay.find(id);
    if (place != overlay.end()) return Step{nullptr, place->second};
    return Step{find(id), nullptr};
  };
  const auto next_of = [](Step& step) -> const std::string* {
    const std::size_t i = step.next++;
    if (step.spec && i < step.spec->dependencies.size()) return &step.spec->dependencies[i].id;
    if (step.node && i < step.node->edges.size()) return &step.node->edges[i].to->id();
    return nullptr;
  };

  std::unordered_map<std::string_view, Mark> marks;
  for (const SpecPtr& spec : batch) {
    if (!is_needed(spec) || !marks.emplace(spec->id, Mark::open).second) continue;
    std::vector<std::string_view> path = {spec->id};
    std::vector<Step> steps = {step_of(spec->id)};
    while (!steps.empty()) {
      const std::string* next = next_of(steps.back());
      if (!next) {
        marks[path.back()] = Mark::done;
        path.pop_back();
        steps.pop_back();
        continue;
      }
      const auto [mark, is_new] = marks.emplace(*next, Mark::open);
      if (is_new) {
        path.push_back(*next);
        steps.push_back(step_of(*next));
      } else if (mark->second == Mark::open) {
        return Error{ErrorCode::dependency_cycle,
                     "dependencies: would close the cycle " + path_text(path, *next) +
                         "; take one of these dependencies out",
                     {}};
      }
    }
  }
  return {};
}

}  // namespace azora::registry
