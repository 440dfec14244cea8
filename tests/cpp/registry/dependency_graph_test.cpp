#include "azora/registry/dependency_graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "registry/spec_builder.hpp"

namespace azora::registry {
namespace {

using Ids = std::vector<std::string>;

class Graph {
 public:
  void put(const SpecPtr& spec) { put_all({spec}); }
  void put_all(const std::vector<SpecPtr>& specs) {
    std::vector<DependencyGraph::Item> batch;
    for (const SpecPtr& spec : specs) batch.push_back({spec, next_order_++});
    graph.put(batch);
  }
  void put(const std::string& id, Ids needs) {
    put(SpecBuilder(id).needs(std::move(needs)).make());
  }
  std::string refusal(const std::vector<SpecPtr>& batch) const {
    const auto result = graph.check(batch);
    return result ? ""
                  : std::string(error_name(result.error().code)) + ": " + result.error().message;
  }
  std::string refusal(const std::string& id, Ids needs) const {
    return refusal({SpecBuilder(id).needs(std::move(needs)).make()});
  }

  DependencyGraph graph;

 private:
  std::uint64_t next_order_ = 0;
};

std::string cycle(const std::string& path) {
  return "dependency_cycle: dependencies: would close the cycle " + path +
         "; take one of these dependencies out";
}

TEST(DependencyGraph, StartsByRankThenPriorityThenOrder) {
  Graph g;
  g.put(SpecBuilder("web").needs({"api"}).priority(10).make());
  g.put(SpecBuilder("low").priority(1).make());
  g.put(SpecBuilder("db").priority(7).make());
  g.put(SpecBuilder("api").needs({"db", "cache"}).make());
  g.put(SpecBuilder("cache").priority(7).make());
  EXPECT_EQ(g.graph.start_order(), (Ids{"db", "cache", "low", "api", "web"}));
  EXPECT_EQ(g.graph.stop_levels(), (std::vector<Ids>{{"web"}, {"api"}, {"low", "cache", "db"}}));
  EXPECT_EQ(g.graph.rank("web"), 2);
  EXPECT_EQ(g.graph.rank("nobody"), 0);
}

TEST(DependencyGraph, KnowsWhatIsMissing) {
  Graph g;
  g.put("a", {"b", "c"});
  g.put("c", {});
  EXPECT_EQ(g.graph.missing("a"), (Ids{"b"}));
  EXPECT_EQ(g.graph.dependents("b"), (Ids{"a"}));
  EXPECT_FALSE(g.graph.contains("b"));
  g.put("b", {});
  EXPECT_EQ(g.graph.missing("a"), Ids{});
  g.graph.erase("b");
  EXPECT_EQ(g.graph.missing("a"), (Ids{"b"}));
  EXPECT_EQ(g.graph.rank("a"), 1);
}

TEST(DependencyGraph, Rule46bRefusesCyclesWithTheirPathWhateverTheStrength) {
  Graph g;
  g.put("a", {"b"});
  g.put("b", {"c"});
  g.put("c", {});
  EXPECT_EQ(g.refusal("c", {"a"}), cycle("c -> a -> b -> c"));
  EXPECT_EQ(g.refusal("x", {"x"}), cycle("x -> x"));
  EXPECT_EQ(g.refusal({SpecBuilder("c").needs({"a"}, Strength::soft).make()}),
            cycle("c -> a -> b -> c"));
  EXPECT_EQ(g.refusal("c", {"d"}), "");
  EXPECT_EQ(g.refusal("b", {}), "");
}

TEST(DependencyGraph, RefusesTheServiceThatWouldCloseACycleThroughAMissingId) {
  Graph g;
  g.put("a", {"ghost"});
  EXPECT_EQ(g.refusal("ghost", {"a"}), cycle("ghost -> a -> ghost"));
  g.put("ghost", {});
  g.graph.erase("ghost");
  EXPECT_EQ(g.refusal("ghost", {"b", "a"}), cycle("ghost -> a -> ghost"));
}

TEST(DependencyGraph, ChecksABatchAsAWhole) {
  Graph g;
  g.put("a", {"b"});
  g.put("b", {});
  const auto spec = [](const char* id, Ids needs) {
    return SpecBuilder(id).needs(std::move(needs)).make();
  };
  EXPECT_EQ(g.refusal({spec("x", {"y"}), spec("y", {"z"}), spec("z", {"x"})}),
            cycle("x -> y -> z -> x"));
  // Turned round in one step: b needs a from now on, a nobody.
  EXPECT_EQ(g.refusal({spec("b", {"a"}), spec("a", {})}), "");
  EXPECT_EQ(g.refusal({spec("b", {"a"}), spec("c", {})}), cycle("b -> a -> b"));
}

TEST(DependencyGraph, NamesALongCycleByItsEnds) {
  std::vector<SpecPtr> batch;
  for (int i = 0; i < 50; ++i) {
    batch.push_back(
        SpecBuilder("s" + std::to_string(i)).needs({"s" + std::to_string((i + 1) % 50)}).make());
  }
  EXPECT_EQ(
      Graph().refusal(batch),
      cycle("s0 -> s1 -> s2 -> s3 -> s4 -> s5 -> s6 -> s7 -> s8 -> s9 -> .. (30 more) .. -> s40 -> "
            "s41 -> s42 -> s43 -> s44 -> s45 -> s46 -> s47 -> s48 -> s49 -> s0"));
}

TEST(DependencyGraph, TellsWhoIsAffectedByHardEdgesOnly) {
  Graph g;
  g.put("db", {});
  g.put("api", {"db"});
  g.put("web", {"api"});
  g.put(SpecBuilder("report").needs({"api"}, Strength::soft).make());
  g.put("mail", {"report"});
  EXPECT_EQ(g.graph.all_dependents("db"), (Ids{"web", "api"}));
  EXPECT_EQ(g.graph.all_dependencies("web"), (Ids{"db", "api"}));
  EXPECT_EQ(g.graph.all_dependencies("report"), Ids{});
  EXPECT_EQ(g.graph.dependents("api"), (Ids{"web", "report"}));
  int visited = 0;
  g.graph.for_each_dependent("api", [&](const std::string& id, const Dependency& dependency) {
    ++visited;
    EXPECT_EQ(dependency.id, "api");
    EXPECT_EQ(dependency.strength, id == "report" ? Strength::soft : Strength::hard);
  });
  EXPECT_EQ(visited, 2);
}

TEST(DependencyGraph, DrawsATreeWithEachBranchOnce) {
  Graph g;
  g.put("web", {"api", "cache"});
  g.put("api", {"db", "cache"});
  g.put("cache", {"disk"});
  g.put("db", {});
  std::string text;
  for (const TreeLine& line : g.graph.tree("web")) {
    text += std::string(static_cast<std::size_t>(line.depth), ' ') + line.id +
            (line.missing ? "?" : "") + (line.repeated ? "*" : "") + "\n";
  }
  EXPECT_EQ(text, "web\n api\n  db\n  cache\n   disk?\n cache*\n");
  EXPECT_TRUE(g.graph.tree("disk").empty());
}

TEST(DependencyGraph, TakesAHundredThousandServicesInAnyOrder) {
  constexpr int kCount = 100'000;
  std::vector<SpecPtr> chain;  // each needs the next one: the worst order
  for (int i = 0; i < kCount; ++i) {
    SpecBuilder spec("s" + std::to_string(i));
    if (i + 1 < kCount) spec.needs({"s" + std::to_string(i + 1)});
    chain.push_back(spec.make());
  }
  Graph g;
  EXPECT_EQ(g.refusal(chain), "");
  g.put_all(chain);
  EXPECT_EQ(g.graph.rank("s0"), kCount - 1);
  EXPECT_EQ(g.graph.tree("s0").size(), static_cast<std::size_t>(kCount));
  EXPECT_NE(g.refusal("s99999", {"s0"}), "");
  g.graph.erase("s50000");
  EXPECT_EQ(g.graph.rank("s0"), 50'000);
}

TEST(DependencyGraph, HubsMayLoseTheirDependentsOneByOne) {
  Graph g;
  std::vector<SpecPtr> fleet;
  for (int i = 0; i < 100'000; ++i)
    fleet.push_back(SpecBuilder("s" + std::to_string(i)).needs({"hub"}).make());
  g.put_all(fleet);
  g.put("hub", {});
  for (const SpecPtr& spec : fleet) g.graph.erase(spec->id);
  EXPECT_EQ(g.graph.start_order(), (Ids{"hub"}));
}

// The same questions answered without any cleverness.
struct Model {
  std::map<std::string, Ids> needs;

  bool reaches(const std::string& from, const std::string& to, std::set<std::string>& seen) const {
    const auto at = needs.find(from);
    if (at == needs.end()) return false;
    return std::any_of(at->second.begin(), at->second.end(), [&](const std::string& next) {
      return next == to || (seen.insert(next).second && reaches(next, to, seen));
    });
  }
  bool has_cycle() const {
    return std::any_of(needs.begin(), needs.end(), [&](const auto& entry) {
      std::set<std::string> seen;
      return reaches(entry.first, entry.first, seen);
    });
  }
  int rank(const std::string& id) const {
    const auto at = needs.find(id);
    int rank = 0;
    if (at == needs.end()) return rank;
    for (const std::string& next : at->second) rank = std::max(rank, this->rank(next) + 1);
    return rank;
  }
};

TEST(DependencyGraph, AgreesWithASimpleModelUnderRandomChanges) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto any_id = [&] { return "s" + std::to_string(random() % 12); };
    Graph g;
    Model model;
    for (int step = 0; step < 300; ++step) {
      if (random() % 4 == 0) {
        const std::string id = any_id();
        g.graph.erase(id);
        model.needs.erase(id);
      } else {
        std::map<std::string, Ids> changes;
        const std::size_t count = random() % 3 == 0 ? 3 : 1;
        while (changes.size() < count) {
          std::set<std::string> needs;
          for (auto n = random() % 4; n > 0; --n) needs.insert(any_id());
          changes[any_id()] = Ids(needs.begin(), needs.end());
        }
        Model next = model;
        std::vector<SpecPtr> batch;
        for (const auto& [id, needs] : changes) {
          next.needs[id] = needs;
          batch.push_back(SpecBuilder(id).needs(needs).make());
        }
        ASSERT_EQ(g.graph.check(batch).ok(), !next.has_cycle());
        if (!next.has_cycle()) {
          g.put_all(batch);
          model = next;
        }
      }
      ASSERT_EQ(g.graph.start_order().size(), model.needs.size());
      for (const auto& [id, needs] : model.needs) {
        ASSERT_EQ(g.graph.rank(id), model.rank(id)) << id;
        Ids missing;
        std::copy_if(needs.begin(), needs.end(), std::back_inserter(missing),
                     [&](const std::string& need) { return !model.needs.contains(need); });
        ASSERT_EQ(g.graph.missing(id), missing);
        std::set<std::string> dependents;
        for (const auto& [other, its_needs] : model.needs) {
          if (std::count(its_needs.begin(), its_needs.end(), id) > 0) dependents.insert(other);
        }
        const Ids found = g.graph.dependents(id);
        ASSERT_EQ(std::set<std::string>(found.begin(), found.end()), dependents);
      }
    }
  }
}

}  // namespace
}  // namespace azora::registry
