#include "azora/registry/registry.hpp"

#include <gtest/gtest.h>

#include "registry/spec_builder.hpp"

namespace azora::registry {
namespace {

std::vector<std::string> ids(const std::vector<const Entry*>& entries) {
  std::vector<std::string> all;
  for (const Entry* entry : entries) all.push_back(entry->spec->id);
  return all;
}

std::vector<std::string> listing(const Registry& registry) {
  std::vector<std::string> all;
  registry.for_each([&](const Entry& entry) { all.push_back(entry.spec->id); });
  return all;
}

using Ids = std::vector<std::string>;

std::string refusal(const Registry& registry, const std::vector<SpecPtr>& batch) {
  const Result<void> result = registry.check(batch);
  return result ? "" : std::string(error_name(result.error().code)) + ": " + result.error().message;
}

TEST(Registry, FindsByIdTypeAndGroup) {
  Registry registry;
  registry.put(SpecBuilder("a").type("core").make());
  registry.put(SpecBuilder("b").type("b2b").group("shop").make());
  registry.put(SpecBuilder("c").type("core").group("shop").make());
  EXPECT_EQ(registry.find("b")->spec->type, "b2b");
  EXPECT_EQ(registry.find("x"), nullptr);
  EXPECT_EQ(ids(registry.by_type("core")), (Ids{"a", "c"}));
  EXPECT_EQ(ids(registry.by_type("ui")), Ids{});
  EXPECT_EQ(ids(registry.by_group("shop")), (Ids{"b", "c"}));
  EXPECT_EQ(ids(registry.by_group("a")), (Ids{"a"}));
  EXPECT_EQ(registry.pool_names(), (Ids{"b2b", "core", "shop"}));
}

TEST(Registry, KeepsThePlaceWhenOverwrittenAndGivesANewOneAfterADelete) {
  Registry registry;
  for (const char* id : {"a", "b", "c"}) registry.put(SpecBuilder(id).make());
  const auto overwritten = registry.put(SpecBuilder("a").type("b2b").make());
  EXPECT_EQ(overwritten.replaced->type, "core");
  EXPECT_EQ(overwritten.entry->generation, 2U);
  EXPECT_EQ(overwritten.entry->serial, 1U);
  EXPECT_EQ(listing(registry), (Ids{"a", "b", "c"}));
  EXPECT_EQ(registry.erase("a")->id, "a");
  EXPECT_EQ(registry.erase("a"), nullptr);
  const auto again = registry.put(SpecBuilder("a").make());
  EXPECT_EQ(again.replaced, nullptr);
  EXPECT_EQ(again.entry->generation, 1U);
  EXPECT_EQ(again.entry->serial, 4U);
  EXPECT_EQ(listing(registry), (Ids{"b", "c", "a"}));
}

TEST(Registry, LeavesTheOldTypeAndGroupWhenOverwritten) {
  Registry registry;
  registry.put(SpecBuilder("a").type("core").group("g").make());
  registry.put(SpecBuilder("a").type("b2b").make());
  EXPECT_EQ(ids(registry.by_type("core")), Ids{});
  EXPECT_EQ(ids(registry.by_group("g")), Ids{});
  EXPECT_EQ(registry.pool_kind("core"), PoolKind::none);
  EXPECT_EQ(ids(registry.by_type("b2b")), (Ids{"a"}));
}

TEST(Registry, Rule41AServiceWithoutGroupJoinsTheGroupThatBearsItsId) {
  Registry registry;
  registry.put(SpecBuilder("x").group("orders").make());
  registry.put(SpecBuilder("orders").make());
  registry.put(SpecBuilder("y").group("orders").make());
  EXPECT_EQ(registry.pool_kind("orders"), PoolKind::group);
  EXPECT_EQ(ids(registry.pool("orders")), (Ids{"x", "orders", "y"}));
  registry.erase("x");
  registry.erase("y");
  EXPECT_EQ(registry.pool_kind("orders"), PoolKind::one);
  EXPECT_EQ(ids(registry.pool("orders")), (Ids{"orders"}));
}

TEST(Registry, Rule41ATypePoolHoldsEveryGroup) {
  Registry registry;
  registry.put(SpecBuilder("a").group("g").make());
  registry.put(SpecBuilder("b").make());
  EXPECT_EQ(ids(registry.pool("core")), (Ids{"a", "b"}));
  EXPECT_EQ(registry.pools_of(*registry.find("a")->spec), (Ids{"core", "g"}));
  EXPECT_EQ(registry.pools_of(*registry.find("b")->spec), (Ids{"core", "b"}));
}

TEST(Registry, Rule19AServiceWithoutEndpointIsInNoPool) {
  Registry registry;
  registry.put(SpecBuilder("a").no_endpoint().make());
  registry.put(SpecBuilder("b").make());
  EXPECT_EQ(ids(registry.pool("core")), (Ids{"b"}));
  EXPECT_EQ(ids(registry.pool("a")), Ids{});
  EXPECT_EQ(registry.pools_of(*registry.find("a")->spec), Ids{});
}

TEST(Registry, Rule46cATypeInUseWinsOverAServiceOfThatIdInEitherOrder) {
  Registry first;
  first.put(SpecBuilder("core").type("infrastructure").make());
  first.put(SpecBuilder("a").type("core").make());
  Registry second;
  second.put(SpecBuilder("a").type("core").make());
  second.put(SpecBuilder("core").type("infrastructure").make());
  for (const Registry* registry : {&first, &second}) {
    EXPECT_EQ(registry->pool_kind("core"), PoolKind::type);
    EXPECT_EQ(ids(registry->pool("core")), (Ids{"a"}));
    EXPECT_EQ(registry->pools_of(*registry->find("core")->spec), (Ids{"infrastructure"}));
  }
  first.erase("a");
  EXPECT_EQ(ids(first.pool("core")), (Ids{"core"}));
}

TEST(Registry, Rule46cRefusesAGroupThatBearsTheNameOfATypeAndTheReverse) {
  Registry registry;
  registry.put(SpecBuilder("a").type("core").make());
  registry.put(SpecBuilder("b").type("b2b").group("shop").make());
  EXPECT_EQ(refusal(registry, {SpecBuilder("c").type("ui").group("core").make()}),
            "pool_conflict: group \"core\" of service \"c\" is also the type of service \"a\"; a "
            "pool has "
            "one meaning, rename one of them");
  EXPECT_EQ(refusal(registry, {SpecBuilder("c").type("shop").make()}),
            "pool_conflict: group \"shop\" of service \"b\" is also the type of service \"c\"; a "
            "pool has "
            "one meaning, rename one of them");
  EXPECT_EQ(refusal(registry, {SpecBuilder("c").type("ui").group("ui").make()}),
            "pool_conflict: group \"ui\" of service \"c\" is also its type; a pool has one "
            "meaning, rename "
            "one of them");
  // The bearer is overwritten by the same batch, or by the service itself: no conflict is left.
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").type("ui").make(),
                               SpecBuilder("c").type("ui").group("core").make()}),
            "");
  EXPECT_EQ(refusal(registry, {SpecBuilder("b").type("shop").make()}), "");
  EXPECT_EQ(registry.size(), 2U);
}

TEST(Registry, NamesEveryConflictAndEveryDoubleIdOfABatch) {
  const Registry registry;
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").type("t1").group("g1").make(),
                               SpecBuilder("b").type("g1").group("t1").make()}),
            "pool_conflict: group \"g1\" of service \"a\" is also the type of service \"b\"; a "
            "pool has one "
            "meaning, rename one of them; group \"t1\" of service \"b\" is also the type of "
            "service \"a\"; "
            "a pool has one meaning, rename one of them");
  EXPECT_EQ(refusal(registry, {SpecBuilder("a").make(), SpecBuilder("a").make()}),
            "invalid_spec: id: is \"a\" twice in one batch; leave one of them out");
}

TEST(Registry, GoesOnBehindTheNumbersOfAFormerOne) {
  Registry registry;
  registry.begin_after(41, 7);
  const Entry* first = registry.put(SpecBuilder("a").make()).entry;
  EXPECT_EQ(first->serial, 42U);
  EXPECT_EQ(first->order, 7U);
  EXPECT_EQ(registry.put(SpecBuilder("b").make()).entry->serial, 43U);
}

TEST(Registry, TakesAHundredThousandServices) {
  std::vector<SpecPtr> batch;
  for (int i = 0; i < 100'000; ++i) {
    batch.push_back(SpecBuilder("s" + std::to_string(i)).type("t" + std::to_string(i % 11)).make());
  }
  Registry registry;
  ASSERT_TRUE(registry.check(batch).ok());
  for (const SpecPtr& spec : batch) registry.put(spec);
  EXPECT_EQ(registry.size(), 100'000U);
  EXPECT_EQ(registry.by_type("t3").size(), 9091U);
  for (const SpecPtr& spec : batch) registry.erase(spec->id);
  EXPECT_EQ(registry.size(), 0U);
  EXPECT_TRUE(registry.pool_names().empty());
}

}  // namespace
}  // namespace azora::registry
