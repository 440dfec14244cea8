#include "azora/registry/registry.hpp"

#include <gtest/gtest.h>

#include "registry/spec_builder.hpp"

namespace azora::registry {
namespace {

std::vector<std::string> listing(const Registry& registry) {
  std::vector<std::string> all;
  registry.for_each([&](const Entry& entry) {
    for (const Instance& one : entry.instances) all.push_back(one.spec->id);
  });
  return all;
}

Registry::Change put(Registry& registry, const SpecBuilder& entry) { return registry.put(entry.services()); }

std::vector<std::string> ids(std::span<const Instance> instances) {
  std::vector<std::string> all;
  for (const Instance& one : instances) all.push_back(one.spec->id);
  return all;
}

using Ids = std::vector<std::string>;

std::string refusal(const Registry& registry, const std::vector<SpecPtr>& batch) {
  const Result<void> result = registry.check(batch);
  return result ? "" : std::string(error_name(result.error().code)) + ": " + result.error().message;
}

TEST(Registry, FindsById) {
  Registry registry;
  put(registry, SpecBuilder("a"));
  put(registry, SpecBuilder("b").type("b2b"));
  EXPECT_EQ(registry.find("b")->spec->type, "b2b");
  EXPECT_EQ(registry.find("x"), nullptr);
  EXPECT_EQ(registry.find_service("b")->spec, registry.find("b")->spec);
  EXPECT_EQ(registry.size(), 2U);
}

TEST(Registry, KeepsThePlaceWhenOverwrittenAndGivesANewOneAfterADelete) {
  Registry registry;
  for (const char* id : {"a", "b", "c"}) put(registry, SpecBuilder(id));
  const auto overwritten = put(registry, SpecBuilder("a").type("b2b"));
  EXPECT_EQ(overwritten.replaced.front()->type, "core");
  EXPECT_EQ(overwritten.entry->generation, 2U);
  EXPECT_EQ(overwritten.entry->instances.front().serial, 1U);
  EXPECT_EQ(listing(registry), (Ids{"a", "b", "c"}));
  EXPECT_EQ(ids(registry.erase("a")), (Ids{"a"}));
  EXPECT_TRUE(registry.erase("a").empty());
  const auto again = put(registry, SpecBuilder("a"));
  EXPECT_EQ(again.replaced, std::vector<SpecPtr>{nullptr});
  EXPECT_EQ(again.entry->generation, 1U);
  EXPECT_EQ(again.entry->instances.front().serial, 4U);
  EXPECT_EQ(listing(registry), (Ids{"b", "c", "a"}));
}

TEST(Registry, KnowsWhichGroupsServicesName) {
  Registry registry;
  put(registry, SpecBuilder("a").type("core").group("g"));
  put(registry, SpecBuilder("b").group("g"));
  EXPECT_TRUE(registry.is_group("g"));
  EXPECT_FALSE(registry.is_group("core"));
  EXPECT_FALSE(registry.is_group("a"));
  put(registry, SpecBuilder("a").type("b2b"));
  EXPECT_TRUE(registry.is_group("g"));
  registry.erase("b");
  EXPECT_FALSE(registry.is_group("g"));
}

// The type and the group of what was overwritten or removed are free again.
TEST(Registry, ANameIsInUseAsLongAsAServiceUsesIt) {
  Registry registry;
  put(registry, SpecBuilder("a").type("core").group("g"));
  EXPECT_NE(refusal(registry, {SpecBuilder("b").type("g").make()}), "");
  EXPECT_NE(refusal(registry, {SpecBuilder("b").type("ui").group("core").make()}), "");
  put(registry, SpecBuilder("a").type("b2b"));
  EXPECT_EQ(refusal(registry, {SpecBuilder("b").type("g").make()}), "");
  EXPECT_EQ(refusal(registry, {SpecBuilder("b").type("ui").group("core").make()}), "");
  registry.erase("a");
  EXPECT_EQ(refusal(registry, {SpecBuilder("b").type("ui").group("b2b").make()}), "");
}

TEST(Registry, Rule46cRefusesAGroupThatBearsTheNameOfATypeAndTheReverse) {
  Registry registry;
  put(registry, SpecBuilder("a").type("core"));
  put(registry, SpecBuilder("b").type("b2b").group("shop"));
  EXPECT_EQ(refusal(registry, {SpecBuilder("c").type("ui").group("core").make()}),
            "pool_conflict: group \"core\" of service \"c\" is also the type of service \"a\"; a "
            "pool must "
            "have one meaning, so rename one of them");
  EXPECT_EQ(refusal(registry, {SpecBuilder("c").type("shop").make()}),
            "pool_conflict: group \"shop\" of service \"b\" is also the type of service \"c\"; a "
            "pool must "
            "have one meaning, so rename one of them");
  EXPECT_EQ(refusal(registry, {SpecBuilder("c").type("ui").group("ui").make()}),
            "pool_conflict: group \"ui\" of service \"c\" is also its type; a pool must "
            "have one meaning, so rename one of them");
  // The bearer is overwritten by the same batch, or by the service itself: no conflict is left.
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").type("ui").make(),
                               SpecBuilder("c").type("ui").group("core").make()}),
            "");
  EXPECT_EQ(refusal(registry, {SpecBuilder("b").type("shop").make()}), "");
  EXPECT_EQ(registry.size(), 2U);
}

TEST(Registry, AnEntryStandsForItsInstancesByIndex) {
  Registry registry;
  const Registry::Change change = put(registry, SpecBuilder("w").replicas(3));
  EXPECT_EQ(change.entry->spec->replicas, 3);
  EXPECT_EQ(change.replaced, std::vector<SpecPtr>(3));
  EXPECT_TRUE(change.removed.empty());
  EXPECT_EQ(registry.size(), 3U);
  EXPECT_EQ(ids(registry.services("w")), (Ids{"w@0", "w@1", "w@2"}));
  EXPECT_EQ(ids(registry.services("w@1")), (Ids{"w@1"}));
  EXPECT_EQ(registry.find_service("w@2")->serial, 3U);
  EXPECT_EQ(registry.find_service("w"), nullptr) << "it is three services";
  EXPECT_EQ(registry.find("w@1"), nullptr) << "it is an instance";
  for (const char* id : {"w@3", "w@", "w@01", "x", "x@0"}) EXPECT_TRUE(registry.services(id).empty()) << id;
  put(registry, SpecBuilder("a"));
  EXPECT_TRUE(registry.services("a@0").empty()) << "one service has no index";
}

TEST(Registry, ScalingKeepsThoseThatStayAndTakesTheHighestFirst) {
  Registry registry;
  put(registry, SpecBuilder("w").replicas(4));
  put(registry, SpecBuilder("z"));
  const Registry::Change fewer = put(registry, SpecBuilder("w").replicas(2).priority(9));
  EXPECT_EQ(ids(fewer.removed), (Ids{"w@3", "w@2"}));
  EXPECT_EQ(fewer.replaced.at(1)->id, "w@1");
  EXPECT_EQ(fewer.entry->generation, 2U);
  EXPECT_EQ(registry.find_service("w@1")->serial, 2U);
  EXPECT_EQ(registry.find_service("w@1")->spec->priority, 9);
  const Registry::Change more = put(registry, SpecBuilder("w").replicas(3));
  EXPECT_TRUE(more.removed.empty());
  EXPECT_EQ(more.replaced.at(2), nullptr);
  EXPECT_EQ(registry.find_service("w@2")->serial, 6U);
  EXPECT_EQ(registry.find_service("w@2")->order, 5U) << "behind z in listings of services";
  EXPECT_EQ(listing(registry), (Ids{"w@0", "w@1", "w@2", "z"}));
  EXPECT_EQ(registry.size(), 4U);
}

TEST(Registry, OneServiceInsteadOfSeveralIsAnotherOneAndTheReverse) {
  Registry registry;
  put(registry, SpecBuilder("w").replicas(2));
  const Registry::Change single = put(registry, SpecBuilder("w"));
  EXPECT_EQ(ids(single.removed), (Ids{"w@1", "w@0"}));
  EXPECT_EQ(single.replaced, std::vector<SpecPtr>{nullptr});
  EXPECT_EQ(registry.find_service("w")->serial, 3U);
  const Registry::Change several = put(registry, SpecBuilder("w").replicas(2));
  EXPECT_EQ(ids(several.removed), (Ids{"w"}));
  EXPECT_EQ(several.replaced, std::vector<SpecPtr>(2));
  EXPECT_EQ(registry.size(), 2U);
}

TEST(Registry, AnEntryGoesWithItsLastInstance) {
  Registry registry;
  put(registry, SpecBuilder("w").type("t").replicas(3));
  EXPECT_EQ(ids(registry.erase("w@1")), (Ids{"w@1"}));
  EXPECT_EQ(ids(registry.services("w")), (Ids{"w@0", "w@2"}));
  EXPECT_TRUE(registry.services("w@1").empty());
  // Written again, it stands for all of them again.
  EXPECT_EQ(put(registry, SpecBuilder("w").type("t").replicas(3)).replaced.at(1), nullptr);
  EXPECT_EQ(ids(registry.erase("w")), (Ids{"w@2", "w@1", "w@0"}));
  EXPECT_EQ(registry.find("w"), nullptr);
  put(registry, SpecBuilder("w").type("t").replicas(2));
  registry.erase("w@0");
  registry.erase("w@1");
  EXPECT_EQ(registry.find("w"), nullptr);
  EXPECT_EQ(registry.size(), 0U);
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").type("x").group("t").make()}), "");
}

TEST(Registry, TheGroupOfAnEntryMeetsATypeOfItsNameWithoutConflict) {
  Registry registry;
  EXPECT_EQ(refusal(registry, {SpecBuilder("web").type("web").replicas(2).make()}), "");
  put(registry, SpecBuilder("web").type("web").replicas(2));
  EXPECT_FALSE(registry.is_group("web"));
  EXPECT_NE(refusal(registry, {SpecBuilder("a").group("web").make()}), "") << "a group that its owner chose";
}

TEST(Registry, ANewSerialMakesItAnotherServiceUnderTheSameId) {
  Registry registry;
  put(registry, SpecBuilder("a"));
  put(registry, SpecBuilder("w").replicas(2));
  registry.renumber("w@1");
  registry.renumber("nothing");
  EXPECT_EQ(registry.find_service("w@1")->serial, 4U);
  EXPECT_EQ(registry.find_service("w@0")->serial, 2U);
}

TEST(Registry, ABatchIsSplitByItsEntries) {
  std::vector<SpecPtr> batch = SpecBuilder("w").replicas(2).services();
  const std::vector<SpecPtr> others = SpecBuilder("v").replicas(2).services();
  batch.push_back(SpecBuilder("a").make());
  batch.push_back(SpecBuilder("b").make());
  batch.insert(batch.end(), others.begin(), others.end());
  std::vector<std::size_t> sizes;
  for (const auto& part : split_by_entry(batch)) sizes.push_back(part.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{2, 1, 1, 2}));
  Ids names;
  for (const SpecPtr& entry : entries_of(batch)) names.push_back(entry->id);
  EXPECT_EQ(names, (Ids{"w", "a", "b", "v"}));
}

TEST(Registry, NamesEveryConflictAndEveryDoubleIdOfABatch) {
  const Registry registry;
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").type("t1").group("g1").make(),
                               SpecBuilder("b").type("g1").group("t1").make()}),
            "pool_conflict: group \"g1\" of service \"a\" is also the type of service \"b\"; a "
            "pool must have one "
            "meaning, so rename one of them; group \"t1\" of service \"b\" is also the type of "
            "service \"a\"; "
            "a pool must have one meaning, so rename one of them");
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").make(), SpecBuilder("a").make()}),
            "invalid_spec: id: is \"a\" twice in one batch; remove one of them");
}

TEST(Registry, GoesOnBehindTheNumbersOfAFormerOne) {
  Registry registry;
  registry.begin_after(41, 7);
  const Entry* first = put(registry, SpecBuilder("a")).entry;
  EXPECT_EQ(first->instances.front().serial, 42U);
  EXPECT_EQ(first->order, 7U);
  EXPECT_EQ(put(registry, SpecBuilder("b")).entry->instances.front().serial, 43U);
}

TEST(Registry, TakesAHundredThousandServices) {
  std::vector<SpecPtr> batch;
  for (int i = 0; i < 100'000; ++i) {
    batch.push_back(SpecBuilder("s" + std::to_string(i)).type("t" + std::to_string(i % 11)).make());
  }
  Registry registry;
  ASSERT_TRUE(registry.check(batch).ok());
  for (const SpecPtr& spec : batch) registry.put({&spec, 1});
  EXPECT_EQ(registry.size(), 100'000U);
  for (const SpecPtr& spec : batch) registry.erase(spec->id);
  EXPECT_EQ(registry.size(), 0U);
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").type("x").group("t3").make()}), "");
}

}  // namespace
}  // namespace azora::registry
