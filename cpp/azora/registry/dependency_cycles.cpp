// DependencyGraph::check: finds cycles, and dependencies that need more instances than there are.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "azora/registry/dependency_graph.hpp"

namespace azora::registry {
namespace {

enum class Visit : std::uint8_t { open, done };

// "a -> b -> a"
std::string path_text(const std::vector<std::string_view>& path, std::string_view again) {
  constexpr std::size_t kNamed = 20;  // of a long cycle only the two ends are named
  const auto start = std::find(path.begin(), path.end(), again);
  const auto length = static_cast<std::size_t>(path.end() - start);
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    if (length > kNamed && i == kNamed / 2) {
      text += "... (" + std::to_string(length - kNamed) + " more) ... -> ";
      i = length - kNamed / 2;
    }
    text += std::string(start[static_cast<std::ptrdiff_t>(i)]) + " -> ";
  }
  return text += again;
}

std::string instances_text(int count) { return count == 1 ? "one instance" : std::to_string(count) + " instances"; }

}  // namespace

// Either side of such a dependency may be in the batch or registered already.
std::vector<Fault> DependencyGraph::too_few_instances(std::span<const SpecPtr> entries) const {
  std::unordered_map<std::string_view, const ServiceSpec*> batch;
  for (const SpecPtr& entry : entries) batch[entry->id] = entry.get();
  std::vector<Fault> faults;
  for (const SpecPtr& entry : entries) {
    for (std::size_t i = 0; i < entry->dependencies.size(); ++i) {
      const Dependency& dependency = entry->dependencies[i];
      if (dependency.min == 1) continue;
      const auto in_batch = batch.find(dependency.id);
      const std::optional<Item> known = in_batch != batch.end() ? std::nullopt : registered_(dependency.id);
      const int replicas = in_batch != batch.end() ? in_batch->second->replicas
                           : known                 ? known->entry->replicas
                                                   : dependency.min;
      if (dependency.min <= replicas) continue;
      faults.push_back({"dependencies[" + std::to_string(i) + "].min",
                        "is " + std::to_string(dependency.min) + ", but \"" + dependency.id + "\", which \"" +
                            entry->id + "\" needs, has " + instances_text(replicas) +
                            "; lower it or give \"" + dependency.id + "\" more replicas"});
    }
    const Node* node = find(entry->id);
    if (node == nullptr) continue;
    for (const Back& back : node->dependents) {
      const Dependency& dependency = back.from->edges[back.edge].dependency;
      if (dependency.min <= entry->replicas || batch.contains(back.from->id())) continue;
      faults.push_back({"process.replicas", "is " + std::to_string(entry->replicas) + ", but \"" + back.from->id() +
                                                "\" needs at least " + std::to_string(dependency.min) + " of \"" +
                                                entry->id + "\"; raise it or change \"" + back.from->id() +
                                                "\" first"});
    }
  }
  return faults;
}

// Depth first from every entry of the batch, over the edges as they would be. No node is searched twice, and an entry
// without dependents cannot close a cycle. So registering entries one by one stays cheap, even on top of a deep fleet.
Result<void> DependencyGraph::check(std::span<const SpecPtr> batch) const {
  if (std::vector<Fault> faults = too_few_instances(batch); !faults.empty()) return spec_error(std::move(faults));
  std::unordered_set<std::string_view> needed;  // by entries of the batch
  for (const SpecPtr& spec : batch) {
    for (const Dependency& dependency : spec->dependencies) needed.insert(entry_of(dependency.id));
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
    const Node* node;         // for edges of the graph
    const ServiceSpec* spec;  // for edges of the batch; both null: an unknown id
    std::size_t next = 0;
  };
  const auto step_of = [&](std::string_view id) {
    const auto place = overlay.find(id);
    if (place != overlay.end()) return Step{nullptr, place->second};
    return Step{find(id), nullptr};
  };
  // Empty: there are no more edges.
  const auto next_of = [](Step& step) -> std::string_view {
    const std::size_t i = step.next++;
    if (step.spec && i < step.spec->dependencies.size()) return entry_of(step.spec->dependencies[i].id);
    if (step.node && i < step.node->edges.size()) return step.node->edges[i].to->id();
    return {};
  };

  std::unordered_map<std::string_view, Visit> visits;
  for (const SpecPtr& spec : batch) {
    if (!is_needed(spec) || !visits.emplace(spec->id, Visit::open).second) continue;
    std::vector<std::string_view> path = {spec->id};
    std::vector<Step> steps = {step_of(spec->id)};
    while (!steps.empty()) {
      const std::string_view next = next_of(steps.back());
      if (next.empty()) {
        visits[path.back()] = Visit::done;
        path.pop_back();
        steps.pop_back();
        continue;
      }
      const auto [visit, is_new] = visits.emplace(next, Visit::open);
      if (is_new) {
        path.push_back(next);
        steps.push_back(step_of(next));
      } else if (visit->second == Visit::open) {
        return Error{ErrorCode::dependency_cycle,
                     "dependencies: would close the cycle " + path_text(path, next) +
                         "; remove one of these dependencies",
                     {}};
      }
    }
  }
  return {};
}

}  // namespace azora::registry
