// Who is registered, who leaves, and who waits for that.
#include "azora/orchestrator/fleet.hpp"

#include <gtest/gtest.h>

#include "azora/base/thread_role.hpp"
#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

constexpr const char* kTwo = R"(,"process":{"argv":["true"],"replicas":2})";

class FleetTest : public testing::Test {
 protected:
  const ThreadRole::Scope role{control_thread};
  // Answers the first of its services.
  ServiceState& add(const std::string& id, const std::string& more = R"(,"process":{"argv":["true"]})") {
    const int port = ports.emplace(id, 7001 + 10 * static_cast<int>(ports.size())).first->second;  // each has its own
    Result<std::vector<SpecPtr>> specs =
        parse_service("{\"id\":\"" + id + R"(","type":"core","endpoint":"http://127.0.0.1:)" + std::to_string(port) + "\"" +
                          more + "}",
                      {.origin = Origin::python});
    EXPECT_TRUE(specs.ok()) << (specs.ok() ? "" : specs.error().message);
    EXPECT_TRUE(fleet.check(specs.value()).ok());
    const registry::Entry& entry = *fleet.put(specs.value()).front().entry;
    ServiceState* first = nullptr;
    for (const registry::Instance& one : entry.instances) {
      ServiceState& service = fleet.add(entry, one, Now{});
      if (first == nullptr) first = &service;
    }
    return *first;
  }
  // As an end of its process would.
  void set(ServiceState& service, Lifecycle lifecycle) {
    const bool before = service.alive();
    service.machine.lifecycle = lifecycle;
    fleet.count_alive(before, service.alive());
  }

  Fleet fleet;
  std::map<std::string, int> ports;
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

TEST_F(FleetTest, MoreServicesThanTheLimitAreRefusedAndOverwritingCountsNone) {
  Fleet small(2);
  const auto specs = [](const std::string& id, int replicas) {
    const std::string process = R"(,"process":{"argv":["true"],"replicas":)" + std::to_string(replicas) + "}";
    return parse_service(R"({"id":")" + id + R"(","type":"core","endpoint":"http://127.0.0.1:7001")" + process + "}",
                         {.origin = Origin::python})
        .value();
  };
  const Result<void> three = small.check(specs("a", 3));
  ASSERT_FALSE(three.ok());
  EXPECT_EQ(three.error().code, ErrorCode::limit_reached);
  EXPECT_EQ(three.error().message, "there would be 3 services; the limit is 2");
  ASSERT_TRUE(small.check(specs("a", 2)).ok());
  static_cast<void>(small.put(specs("a", 2)));
  EXPECT_TRUE(small.check(specs("a", 2)).ok());
  EXPECT_FALSE(small.check(specs("a", 3)).ok());
  EXPECT_TRUE(small.check(specs("a", 1)).ok());
}

TEST_F(FleetTest, AnIdIsFreeWhenTheLastOfThoseThatKeepItEnded) {
  add("a", kTwo);
  ServiceState& first = *fleet.find("a@0");
  ServiceState& second = *fleet.find("a@1");
  EXPECT_EQ(fleet.find("a"), nullptr);
  EXPECT_EQ(fleet.services("a"), (std::vector<ServiceState*>{&first, &second}));
  EXPECT_EQ(fleet.unregister("a").size(), 2U);
  for (ServiceState* service : {&first, &second}) fleet.begin_leaving(*service, {"a"});
  EXPECT_TRUE(fleet.services("a").empty());
  EXPECT_TRUE(add("a").held_back);
  EXPECT_EQ(fleet.end_leaving(first), std::vector<std::string>{*first.id});
  EXPECT_EQ(fleet.end_leaving(second), (std::vector<std::string>{*second.id, "a"}));
}

TEST_F(FleetTest, ADependencyOnAnEntryIsMetByEnoughOfItsInstances) {
  add("a", kTwo);
  const Dependency one{.id = "a"};
  const Dependency both{.id = "a", .min = 2};
  const Dependency second{.id = "a@1"};
  const auto met = [&] { return std::vector<bool>{fleet.satisfied(one), fleet.satisfied(both), fleet.satisfied(second)}; };
  EXPECT_EQ(met(), (std::vector<bool>{false, false, false}));
  for (const char* id : {"a@0", "a@1"}) {
    set(*fleet.find(id), Lifecycle::ready);
    fleet.find(id)->status = HealthStatus::healthy;
    EXPECT_EQ(met(), (std::vector<bool>{true, std::string(id) == "a@1", std::string(id) == "a@1"}));
  }
  EXPECT_EQ(met(), (std::vector<bool>{true, true, true}));
  EXPECT_TRUE(fleet.satisfied(one, fleet.find("a@0")->serial));
  EXPECT_FALSE(fleet.satisfied(both, fleet.find("a@0")->serial));
}

TEST_F(FleetTest, TheEndOfOneInstanceIsFeltWhereNotEnoughOthersAreLeft) {
  add("db", kTwo);
  ServiceState& one = add("one", R"(,"process":{"argv":["true"]},"dependencies":["db"])");
  ServiceState& both = add("both", R"(,"process":{"argv":["true"]},"dependencies":[{"id":"db","min":2}])");
  for (const char* id : {"db@0", "db@1"}) {
    set(*fleet.find(id), Lifecycle::ready);
    fleet.find(id)->status = HealthStatus::healthy;
  }
  EXPECT_EQ(fleet.all_dependents("db"), (std::vector<ServiceState*>{&both, &one}));
  EXPECT_EQ(fleet.all_dependents("db@0"), std::vector<ServiceState*>{&both});
  set(*fleet.find("db@1"), Lifecycle::backoff);
  EXPECT_EQ(fleet.all_dependents("db@0"), (std::vector<ServiceState*>{&both, &one}));
}

TEST_F(FleetTest, AllInstancesOfADependencyOutliveItsDependents) {
  add("db", kTwo);
  add("web", R"(,"process":{"argv":["true"],"replicas":2},"dependencies":["db"])");
  ServiceState& last = *fleet.find("web@1");
  set(last, Lifecycle::ready);
  for (const char* id : {"db@0", "db@1"}) {
    EXPECT_TRUE(fleet.has_living_dependent(*fleet.find(id)));
    EXPECT_EQ(fleet.living_dependents(*fleet.find(id)), std::vector<std::uint64_t>{last.serial});
  }
  set(last, Lifecycle::idle);
  EXPECT_FALSE(fleet.has_living_dependent(*fleet.find("db@1")));
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
