// Who is registered, who leaves, and who waits for that.
#include "azora/orchestrator/fleet.hpp"

#include <gtest/gtest.h>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

class FleetTest : public testing::Test {
 protected:
  static constexpr const char* kProcess = R"(,"process":{"argv":["true"]})";

  std::vector<ServiceState*> add_entry(const std::string& id, const std::string& more) {
    Result<std::vector<SpecPtr>> specs =
        parse_service("{\"id\":\"" + id + R"(","type":"core","endpoint":"http://127.0.0.1:7001")" + more + "}",
                      {.origin = Origin::python});
    EXPECT_TRUE(specs.ok()) << (specs.ok() ? "" : specs.error().message);
    EXPECT_TRUE(fleet.check(specs.value()).ok());
    std::vector<ServiceState*> made;
    for (const auto& put : fleet.put(std::move(specs).value())) made.push_back(&fleet.add(*put.entry, Now{}));
    return made;
  }
  ServiceState& add(const std::string& id, const std::string& more = kProcess) { return *add_entry(id, more).front(); }
  // As an end of its process would.
  void set(ServiceState& service, Lifecycle lifecycle) {
    const bool before = service.alive();
    service.machine.lifecycle = lifecycle;
    fleet.count_alive(before, service.alive());
  }

  Fleet fleet;
};

TEST_F(FleetTest, ANewOwnerOfAnIdWaitsUntilTheFormerOneEnded) {
  ServiceState& old = add("a");
  const std::uint64_t serial = old.serial;
  fleet.unregister("a");
  fleet.begin_leaving(old, {});
  EXPECT_EQ(fleet.find("a"), nullptr);
  EXPECT_EQ(fleet.by_serial(serial), &old);
  EXPECT_TRUE(add("a").held_back);
  EXPECT_EQ(fleet.end_leaving(old), std::vector<std::string>{"a"});
  fleet.drop_ended();
  EXPECT_EQ(fleet.by_serial(serial), nullptr);
}

TEST_F(FleetTest, AnIdIsFreeWhenTheLastOfThoseThatKeepItEnded) {
  const std::vector<ServiceState*> replicas = add_entry("a", R"(,"process":{"argv":["true"],"replicas":2})");
  ASSERT_EQ(replicas.size(), 2U);
  ServiceState& first = *replicas[0];
  ServiceState& second = *replicas[1];
  EXPECT_EQ(fleet.replicas_of("a"), replicas);
  for (ServiceState* service : replicas) {
    fleet.unregister(*service->id);
    fleet.begin_leaving(*service, {"a"});
  }
  EXPECT_TRUE(fleet.replicas_of("a").empty());
  EXPECT_TRUE(add("a").held_back);
  EXPECT_EQ(fleet.end_leaving(first), std::vector<std::string>{*first.id});
  EXPECT_EQ(fleet.end_leaving(second), (std::vector<std::string>{*second.id, "a"}));
}

TEST_F(FleetTest, CountsWhatIsAliveAndWhatIsHealthy) {
  ServiceState& one = add("a");
  set(one, Lifecycle::ready);
  EXPECT_EQ(fleet.alive(), 1U);
  EXPECT_EQ(fleet.living_ids(), std::vector<std::string>{"a"});
  fleet.count_status(HealthStatus::unknown, HealthStatus::healthy);
  one.status = HealthStatus::healthy;
  EXPECT_EQ(fleet.healthy(), 1U);
  fleet.begin_leaving(one, {});
  EXPECT_EQ(fleet.healthy(), 0U);
  set(one, Lifecycle::idle);
  EXPECT_EQ(fleet.alive(), 0U);
}

TEST_F(FleetTest, ADependencyIsMetByItsCondition) {
  const Dependency healthy{.id = "a", .condition = Condition::healthy};
  const Dependency completed{.id = "a", .condition = Condition::completed};
  EXPECT_FALSE(fleet.satisfied(healthy));
  ServiceState& one = add("a");
  set(one, Lifecycle::ready);
  EXPECT_FALSE(fleet.satisfied(healthy));
  one.status = HealthStatus::healthy;
  EXPECT_TRUE(fleet.satisfied(healthy));
  EXPECT_FALSE(fleet.satisfied(completed));
  set(one, Lifecycle::done);
  EXPECT_TRUE(fleet.satisfied(completed));
}

TEST_F(FleetTest, OnlyHardDependentsAreLivingDependentsOfAVerb) {
  ServiceState& root = add("root");
  ServiceState& hard = add("hard", R"(,"process":{"argv":["true"]},"dependencies":["root"])");
  ServiceState& soft = add("soft", R"(,"process":{"argv":["true"]},"dependencies":[{"id":"root","strength":"soft"}])");
  set(soft, Lifecycle::ready);
  EXPECT_TRUE(fleet.living_dependents(root).empty());
  EXPECT_TRUE(fleet.has_living_dependent(root));
  set(hard, Lifecycle::ready);
  EXPECT_EQ(fleet.living_dependents(root), std::vector<std::uint64_t>{hard.serial});
}

}  // namespace
}  // namespace azora::orchestrator
