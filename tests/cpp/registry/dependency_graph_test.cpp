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
    for (const SpecPtr& spec : specs) {
      batch.push_back({spec, next_order_++});
      registered_[spec->id] = batch.back();
    }
    graph.put(batch);
  }
  void erase(const std::string& id) {
    registered_.erase(id);
    graph.erase(id);
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

  DependencyGraph graph{[this](std::string_view id) {
    const auto found = registered_.find(std::string(id));
    return found == registered_.end() ? std::nullopt : std::optional(found->second);
  }};

 private:
  std::map<std::string, DependencyGraph::Item> registered_;
  std::uint64_t next_order_ = 0;
};

std::string cycle(const std::string& path) {
  return "dependency_cycle: dependencies: would close the cycle " + path +
         "; remove one of these dependencies";
}

TEST(DependencyGraph, OrdersByRankThenPriorityThenRegistration) {
  Graph g;
  g.put(SpecBuilder("web").needs({"api", "net"}).priority(10).make());
  g.put(SpecBuilder("low").needs({"net"}).priority(1).make());
  g.put(SpecBuilder("db").needs({"net"}).priority(7).make());
  g.put(SpecBuilder("api").needs({"db", "cache", "net"}).make());
  g.put(SpecBuilder("cache").needs({"net"}).priority(7).make());
  EXPECT_EQ(g.graph.dependents("net"), (Ids{"db", "cache", "low", "api", "web"}));
  EXPECT_EQ(g.graph.all_dependents("net"), (Ids{"web", "api", "low", "cache", "db"}));
  EXPECT_EQ(g.graph.rank("web"), 3);
  EXPECT_EQ(g.graph.rank("nothing"), 0);
}

TEST(DependencyGraph, KeepsThePlaceOfWhatIsNotRegistered) {
  Graph g;
  g.put("a", {"b", "c"});
  g.put("c", {});
  EXPECT_EQ(g.graph.dependents("b"), (Ids{"a"}));
  g.put("b", {"c"});
  EXPECT_EQ(g.graph.rank("a"), 2);
  g.erase("b");
  EXPECT_EQ(g.graph.dependents("b"), (Ids{"a"}));
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
  g.erase("ghost");
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
      cycle("s0 -> s1 -> s2 -> s3 -> s4 -> s5 -> s6 -> s7 -> s8 -> s9 -> ... (30 more) ... -> s40 -> "
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
  EXPECT_EQ(g.graph.all_dependencies("s0").size(), static_cast<std::size_t>(kCount - 1));
  EXPECT_NE(g.refusal("s99999", {"s0"}), "");
  g.erase("s50000");
  EXPECT_EQ(g.graph.rank("s0"), 50'000);
}

TEST(DependencyGraph, HubsMayLoseTheirDependentsOneByOne) {
  Graph g;
  std::vector<SpecPtr> fleet;
  for (int i = 0; i < 100'000; ++i)
    fleet.push_back(SpecBuilder("s" + std::to_string(i)).needs({"hub"}).make());
  g.put_all(fleet);
  g.put("hub", {});
  for (const SpecPtr& spec : fleet) g.erase(spec->id);
  EXPECT_EQ(g.graph.dependents("hub"), Ids{});
}

TEST(DependencyGraph, ADependencyOnAnInstanceIsAnEdgeToItsEntry) {
  Graph g;
  g.put(SpecBuilder("db").replicas(2).make());
  g.put("api", {"db@1"});
  g.put("web", {"api", "db"});
  g.put("log", {"db@0", "db@1"});
  EXPECT_EQ(g.graph.rank("db@1"), 0);
  EXPECT_EQ(g.graph.rank("api"), 1);
  EXPECT_EQ(g.graph.dependents("db"), (Ids{"api", "log", "web"}));
  EXPECT_EQ(g.graph.dependents("db@1"), (Ids{"api", "log", "web"}));
  EXPECT_EQ(g.graph.dependents("db@0"), (Ids{"log", "web"}));
  EXPECT_EQ(g.graph.all_dependents("db@0"), (Ids{"web", "log"}));
  EXPECT_EQ(g.graph.all_dependencies("web"), (Ids{"db", "db@1", "api"}));
  EXPECT_EQ(g.refusal("db", {"web@0"}), cycle("db -> web -> api -> db"));
  EXPECT_EQ(g.refusal("api", {"api@0"}), cycle("api -> api"));
}

TEST(DependencyGraph, TheEndOfOneInstanceIsOfConcernOnlyToThoseThatFeelIt) {
  Graph g;
  g.put(SpecBuilder("db").replicas(3).make());
  g.put("one", {"db"});
  g.put(SpecBuilder("three").needs_at_least(3, "db").make());
  g.put("above", {"three"});
  const auto feels = [](const Dependency& dependency) { return dependency.min == 3; };
  EXPECT_EQ(g.graph.all_dependents("db@0", feels), (Ids{"above", "three"}));
  EXPECT_EQ(g.graph.all_dependents("db@0"), (Ids{"above", "three", "one"}));
}

TEST(DependencyGraph, RefusesADependencyOnMoreInstancesThanThereAre) {
  const auto needs = [](int min) { return SpecBuilder("web").needs_at_least(min, "db").make(); };
  const auto db = [](int replicas) { return SpecBuilder("db").replicas(replicas).make(); };
  Graph g;
  EXPECT_EQ(g.refusal({needs(3)}), "") << "nothing is known of it yet";
  EXPECT_EQ(g.refusal({needs(3), db(2)}),
            "invalid_spec: dependencies[0].min: is 3, but \"db\", which \"web\" needs, has 2 instances; lower it or "
            "give \"db\" more replicas");
  EXPECT_EQ(g.refusal({needs(2), db(2)}), "");
  g.put(db(1));
  EXPECT_EQ(g.refusal({needs(2)}),
            "invalid_spec: dependencies[0].min: is 2, but \"db\", which \"web\" needs, has one instance; lower it or "
            "give \"db\" more replicas");
  g.put(db(3));
  g.put(needs(3));
  EXPECT_EQ(g.refusal({db(2)}),
            "invalid_spec: process.replicas: is 2, but \"web\" needs at least 3 of \"db\"; raise it or change "
            "\"web\" first");
  EXPECT_EQ(g.refusal({db(2), needs(2)}), "");
  EXPECT_EQ(g.refusal({db(4)}), "");
  g.erase("db");
  EXPECT_EQ(g.refusal({needs(9)}), "") << "it is gone";
}

// The same questions answered without any cleverness.
struct Model {
  std::map<std::string, Ids> needs;  // of each entry, as written

  static std::string entry(const std::string& id) { return id.substr(0, id.find('@')); }
  bool reaches(const std::string& from, const std::string& to, std::set<std::string>& seen) const {
    const auto at = needs.find(from);
    if (at == needs.end()) return false;
    return std::any_of(at->second.begin(), at->second.end(), [&](const std::string& next) {
      const std::string it = entry(next);
      return it == to || (seen.insert(it).second && reaches(it, to, seen));
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
    for (const std::string& next : at->second) rank = std::max(rank, this->rank(entry(next)) + 1);
    return rank;
  }
};

// An entry without an edge has no node: it is known by what the registry says, once another names it.
TEST(DependencyGraph, KnowsWhatWasRegisteredBeforeItWasNeeded) {
  Graph g;
  g.put(SpecBuilder("low").priority(1).make());
  g.put(SpecBuilder("high").priority(9).make());
  g.put("web", {"low", "high", "none"});
  EXPECT_EQ(g.graph.all_dependencies("web"), (Ids{"high", "low"}));
  EXPECT_EQ(g.graph.rank("web"), 1);
  g.put("web", {});
  EXPECT_EQ(g.graph.rank("web"), 0);
  EXPECT_TRUE(g.graph.dependents("low").empty());
  g.put("low", {"high"});
  g.put("web", {"low"});
  EXPECT_EQ(g.graph.all_dependencies("web"), (Ids{"high", "low"}));
  EXPECT_EQ(g.graph.rank("web"), 2);
  g.erase("low");
  EXPECT_TRUE(g.graph.all_dependencies("web").empty());
  EXPECT_EQ(g.graph.rank("web"), 1);
}

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
        g.erase(id);
        model.needs.erase(id);
      } else {
        std::map<std::string, Ids> changes;
        const std::size_t count = random() % 3 == 0 ? 3 : 1;
        while (changes.size() < count) {
          std::set<std::string> needs;
          for (auto n = random() % 4; n > 0; --n) needs.insert(any_id() + (random() % 3 == 0 ? "@1" : ""));
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
      for (const auto& [id, needs] : model.needs) {
        ASSERT_EQ(g.graph.rank(id), model.rank(id)) << id;
        for (const std::string& name : {id, id + "@1", id + "@0"}) {
          std::multiset<std::string> dependents;
          for (const auto& [other, its_needs] : model.needs) {
            const auto is_meant = [&](const std::string& need) { return need == name || need == id || Model::entry(need) == name; };
            if (std::any_of(its_needs.begin(), its_needs.end(), is_meant)) dependents.insert(other);
          }
          const Ids found = g.graph.dependents(name);
          ASSERT_EQ(std::multiset<std::string>(found.begin(), found.end()), dependents) << name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace azora::registry
