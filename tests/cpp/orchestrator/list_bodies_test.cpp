// Bodies of lists: made once per version, at once when a status changed, rarely for mere figures.
#include "azora/orchestrator/reads/list_bodies.hpp"

#include <gtest/gtest.h>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

ViewPtr view_of(const std::string& id, HealthStatus status, const std::shared_ptr<FigureRecord>& record = nullptr) {
  Result<std::vector<SpecPtr>> specs =
      parse_service("{\"id\":\"" + id + "\",\"type\":\"core\",\"endpoint\":\"http://127.0.0.1:7001\"}", {});
  EXPECT_TRUE(specs.ok());
  auto view = std::make_shared<ServiceView>();
  view->spec = specs.value().front();
  view->status = status;
  view->record = record;
  return view;
}

// The lists differ from those of version - 1.
std::shared_ptr<const Board> board_of(const std::vector<ViewPtr>& views, std::uint64_t version) {
  auto board = std::make_shared<Board>();
  auto in_order = board->in_order.edit();
  for (std::size_t i = 0; i < views.size(); ++i) {
    board->healthy += views[i]->status == HealthStatus::healthy ? 1U : 0U;
    in_order.set(i, views[i]);
  }
  board->in_order = in_order.done();
  board->running = true;
  board->version = version;
  board->list_version = version;
  return board;
}

Moment moment(const std::shared_ptr<const Board>& board, Nanos after = {}, std::uint64_t figures = 0) {
  return {.figures = figures, .board = board, .now = SteadyTime{} + after};
}

TEST(ListBodies, HaveTheShapesOfTheWireContract) {
  ListBodies lists;
  const auto board = board_of({view_of("a", HealthStatus::healthy), view_of("b", HealthStatus::unknown)}, 1);
  const std::string status = *lists.status(moment(board), false);
  EXPECT_TRUE(status.starts_with(R"({"running":true,"totalServices":2,"healthyServices":1,"unhealthyServices":0,)"
                                 R"("services":[{"serviceId":"a",)"))
      << status;
  EXPECT_EQ(status.find("\"config\""), std::string::npos);
  EXPECT_TRUE(status.ends_with(R"(],"endedServices":[]})")) << status;
  const std::string detailed = *lists.status(moment(board), true);
  EXPECT_NE(detailed.find(R"("responseTime":0,"config":{"id":"a",)"), std::string::npos) << detailed;
  EXPECT_NE(detailed.find(R"(},"startTime":)"), std::string::npos) << detailed;
  EXPECT_NE(detailed.find(R"(,"lifecycle":"WATCHING","desired":"up"})"), std::string::npos) << detailed;
  EXPECT_TRUE(lists.services(moment(board))->starts_with(R"({"services":[{"serviceId":"a",)"));
  EXPECT_TRUE(lists.of_type(moment(board), "core")->starts_with(R"({"services":[{"id":"a","name":"a","type":"core","health":{)"))
      << *lists.of_type(moment(board), "core");
  EXPECT_EQ(*lists.of_type(moment(board), "none"), R"({"services":[]})");
}

TEST(ListBodies, AreMadeOnceForACrowdOfReaders) {
  ListBodies lists;
  const auto board = board_of({view_of("a", HealthStatus::healthy)}, 1);
  const Body first = lists.services(moment(board));
  const std::uint64_t bytes = lists.bytes_made();
  EXPECT_EQ(lists.services(moment(board, std::chrono::hours(1))), first);
  EXPECT_EQ(lists.bytes_made(), bytes);
}

TEST(ListBodies, FollowAChangedStatusAtOnceAndFiguresAfterAMoment) {
  FigurePages pages;
  const auto record = pages.make();
  record->checked({1}, 1, 0, 1);
  ListBodies lists;
  const auto well = board_of({view_of("a", HealthStatus::healthy, record)}, 1);
  const Body first = lists.services(moment(well, {}, pages.writes()));
  EXPECT_NE(first->find("\"responseTime\":1"), std::string::npos);
  record->checked({2}, 2, 0, 2);
  EXPECT_EQ(lists.services(moment(well, Millis(99), pages.writes())), first);
  const Body second = lists.services(moment(well, Millis(100), pages.writes()));
  EXPECT_NE(second->find("\"responseTime\":2"), std::string::npos);
  record->checked({3}, 3, 1, 3);
  const auto sick = board_of({view_of("a", HealthStatus::unhealthy, record)}, 2);
  const Body third = lists.services(moment(sick, Millis(100), pages.writes()));
  EXPECT_NE(third->find("unhealthy"), std::string::npos);
  EXPECT_NE(third->find("\"responseTime\":3"), std::string::npos);
}

// A view may change in what no list shows at once: its number of restarts, its process.
TEST(ListBodies, FollowOtherChangesOfAViewAfterAMoment) {
  ListBodies lists;
  const auto view = std::make_shared<ServiceView>(*view_of("a", HealthStatus::healthy));
  const Body first = lists.services(moment(board_of({view}, 1)));
  const auto again = std::make_shared<ServiceView>(*view);
  again->restart_count = 1;
  auto board = std::make_shared<Board>(*board_of({again}, 1));
  board->version = 2;
  EXPECT_EQ(lists.services(moment(board, Millis(99))), first);
  EXPECT_NE(lists.services(moment(board, Millis(100)))->find("\"restartCount\":1"), std::string::npos);
}

TEST(ListBodies, NeverGoBackForAReaderWithAnOlderBoard) {
  ListBodies lists;
  const auto older = board_of({view_of("a", HealthStatus::healthy)}, 1);
  const auto newer = board_of({view_of("a", HealthStatus::unhealthy)}, 2);
  const Body newest = lists.status(moment(newer), false);
  EXPECT_EQ(lists.status(moment(older, std::chrono::seconds(1)), false), newest);
}

}  // namespace
}  // namespace azora::orchestrator
