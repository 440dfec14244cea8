#include "azora/health/lanes/lane_set.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace azora::health {
namespace {

// Notes what it is given.
struct NotingLane : Lane {
  explicit NotingLane(const World& world) : tag(world.event_tag) { made.push_back(this); }
  void start(Slot, const std::shared_ptr<const ProbeTarget>&) override {}
  void cancel(Slot) override {}
  void forget(Slot) override {}
  void on_event(std::uint64_t data, std::uint32_t events, SteadyTime) override { heard.emplace_back(data, events); }
  std::optional<SteadyTime> next() const override { return deadline; }

  static inline std::vector<NotingLane*> made;
  std::uint64_t tag;
  std::optional<SteadyTime> deadline;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> heard;
};

std::unique_ptr<Lane> make_one(const Lane::World& world) { return std::make_unique<NotingLane>(world); }
std::unique_ptr<Lane> make_other(const Lane::World& world) { return std::make_unique<NotingLane>(world); }

constexpr auto kRows = std::to_array<LaneRow>({
    {ProbeKind::http, "a", make_one},
    {ProbeKind::http, "b", make_other},
    {ProbeKind::tcp, "", make_one},
});

class LaneSetTest : public testing::Test {
 protected:
  LaneSetTest() { NotingLane::made.clear(); }
  LaneSet::Index of(ProbeKind kind, const std::string& scheme) {
    ProbeTarget target;
    target.kind = kind;
    target.scheme = scheme;
    return lanes_.index_of(target);
  }
  LaneSet lanes_{kRows, {}};
};

TEST_F(LaneSetTest, MakesALaneOnceAndSharesItBetweenRowsOfOneMaker) {
  EXPECT_TRUE(NotingLane::made.empty());
  const LaneSet::Index a = of(ProbeKind::http, "a");
  EXPECT_EQ(of(ProbeKind::http, "a"), a);
  EXPECT_EQ(of(ProbeKind::tcp, "any"), a);
  EXPECT_NE(of(ProbeKind::http, "b"), a);
  EXPECT_EQ(NotingLane::made.size(), 2u);
  EXPECT_EQ(of(ProbeKind::http, "c"), LaneSet::kNone);
}

TEST_F(LaneSetTest, BringsAnEventToTheLaneWhoseTagItBears) {
  of(ProbeKind::http, "a");
  const LaneSet::Index b = of(ProbeKind::http, "b");
  NotingLane& lane = *NotingLane::made.at(1);
  EXPECT_EQ(&lanes_[b], &lane);
  EXPECT_NE(lane.tag, 0u) << "which is that of a wake-up";
  lanes_.on_event(lane.tag | 5, 3, {});
  EXPECT_EQ(lane.heard, (std::vector<std::pair<std::uint64_t, std::uint32_t>>{{5, 3}}));
  EXPECT_TRUE(NotingLane::made.at(0)->heard.empty());
}

TEST_F(LaneSetTest, TheFirstDeadlineOfAnyCounts) {
  EXPECT_EQ(lanes_.next(), std::nullopt);
  of(ProbeKind::http, "a");
  of(ProbeKind::http, "b");
  EXPECT_EQ(lanes_.next(), std::nullopt);
  const SteadyTime soon{Millis(5)};
  NotingLane::made.at(0)->deadline = soon + Millis(1);
  NotingLane::made.at(1)->deadline = soon;
  EXPECT_EQ(lanes_.next(), soon);
}

}  // namespace
}  // namespace azora::health
