#include "azora/health/check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

namespace azora::health {
namespace {

constexpr std::array kRoles = {Role::all, Role::startup, Role::liveness, Role::readiness};
constexpr std::array kStatuses = {HealthStatus::healthy, HealthStatus::degraded, HealthStatus::unknown,
                                  HealthStatus::unhealthy};  // better to worse

std::vector<Opinion> every_opinion() {
  std::vector<Opinion> out;
  for (const Role role : kRoles) {
    for (const HealthStatus status : kStatuses) {
      for (const bool answers : {false, true}) {
        for (const bool due : {false, true}) out.push_back({role, status, answers, due});
      }
    }
  }
  return out;
}

std::size_t rank(HealthStatus status) {
  return static_cast<std::size_t>(std::find(kStatuses.begin(), kStatuses.end(), status) - kStatuses.begin());
}

// The five rules of check.hpp, each by itself.
void holds(const std::vector<Opinion>& opinions) {
  const Combined combined = combine(opinions);
  const auto any = [&](auto test) { return std::any_of(opinions.begin(), opinions.end(), test); };
  const bool starting = any([](const Opinion& one) { return one.role == Role::startup && !one.answers; });
  if (starting) {
    ASSERT_EQ(combined, (Combined{HealthStatus::unknown, false, false}));
    return;
  }
  ASSERT_EQ(combined.ready, !any([](const Opinion& one) { return one.role != Role::liveness && !one.answers; }));
  ASSERT_EQ(combined.restart_due, any([](const Opinion& one) {
              return one.restart_due && (one.role == Role::liveness || one.role == Role::all);
            }));
  std::size_t worst = 0;
  for (const Opinion& one : opinions) {
    if (one.role != Role::startup) worst = std::max(worst, rank(one.status));
  }
  ASSERT_EQ(rank(combined.status), worst);
}

TEST(Check, CombineHoldsItsRulesForEveryServiceOfUpToThreeChecks) {
  const std::vector<Opinion> all = every_opinion();
  holds({});
  for (const Opinion& a : all) {
    holds({a});
    for (const Opinion& b : all) {
      holds({a, b});
      for (const Opinion& c : all) holds({a, b, c});
    }
  }
}

TEST(Check, TheOrderOfChecksDecidesNothing) {
  const std::vector<Opinion> all = every_opinion();
  for (const Opinion& a : all) {
    for (const Opinion& b : all) {
      ASSERT_EQ(combine(std::vector{a, b}), combine(std::vector{b, a}));
      ASSERT_EQ(combine(std::vector{a, a, b}), combine(std::vector{a, b}));
    }
  }
}

TEST(Check, OneForEverythingIsWhatItsTrackerSays) {
  const ProbeSpec spec;
  std::vector<Check> checks(1);
  checks[0].target = std::make_shared<ProbeTarget>();
  checks[0].tracker.reset_starting();
  EXPECT_EQ(combine(checks, spec), (Combined{HealthStatus::unknown, false, false}));
  checks[0].tracker.apply(Verdict::fail, spec);
  EXPECT_FALSE(combine(checks, spec).ready);
  checks[0].tracker.apply(Verdict::warn, spec);
  EXPECT_EQ(combine(checks, spec), (Combined{HealthStatus::degraded, false, true}));
  for (int i = 0; i < spec.restart_threshold; ++i) checks[0].tracker.apply(Verdict::fail, spec);
  EXPECT_EQ(combine(checks, spec), (Combined{HealthStatus::unhealthy, true, false}));
}

TEST(Check, WhatIsNotAskedSaysNothing) {
  const std::vector<Check> checks(2);
  EXPECT_EQ(combine(checks, ProbeSpec{}), Combined{});
}

}  // namespace
}  // namespace azora::health
