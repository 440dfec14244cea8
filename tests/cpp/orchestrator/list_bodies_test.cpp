// Bodies of lists: made once per version, at once when somebody's status changed, rarely for mere figures.
#include "azora/orchestrator/list_bodies.hpp"

#include <gtest/gtest.h>

#include "azora/model/spec_parser.hpp"

namespace azora::orchestrator {
namespace {

ViewPtr view_of(const std::string& id, HealthStatus status, std::int64_t response_ms = 0) {
  Result<std::vector<SpecPtr>> specs =
      parse_service("{\"id\":\"" + id + "\",\"type\":\"core\",\"endpoint\":\"http://127.0.0.1:7001\"}", {});
  EXPECT_TRUE(specs.ok());
  auto view = std::make_shared<ServiceView>();
  view->spec = specs.value().front();
  view->status = status;
  view->response_ms = response_ms;
  return view;
}

std::shared_ptr<const Board> board_of(std::vector<ViewPtr> views, std::uint64_t seq, std::uint64_t list_version) {
  auto board = std::make_shared<Board>();
  auto in_order = board->in_order.edit();
  for (std::size_t i = 0; i < views.size(); ++i) {
    board->healthy += views[i]->status == HealthStatus::healthy ? 1U : 0U;
    in_order.set(i, views[i]);
  }
  board->in_order = in_order.done();
  board->running = true;
  board->seq = seq;
  board->list_version = list_version;
  return board;
}

const SteadyTime kStart{};

TEST(ListBodies, HaveTheShapesOfTheWireContract) {
  ListBodies lists;
  const auto board = board_of({view_of("a", HealthStatus::healthy), view_of("b", HealthStatus::unknown)}, 2, 1);
  const std::string status = *lists.status(board, false, kStart);
  EXPECT_TRUE(status.starts_with(R"({"running":true,"totalServices":2,"healthyServices":1,"unhealthyServices":0,"services":[{"serviceId":"a",)"))
      << status;
  EXPECT_EQ(status.find("\"config\""), std::string::npos);
  const std::string detailed = *lists.status(board, true, kStart);
  EXPECT_NE(detailed.find(R"("responseTime":0,"config":{"id":"a",)"), std::string::npos) << detailed;
  EXPECT_TRUE(lists.services(board, kStart)->starts_with(R"({"services":[{"serviceId":"a",)"));
  EXPECT_TRUE(lists.of_type(board, "core", kStart)->starts_with(R"({"services":[{"id":"a","name":"a","type":"core","health":{)"))
      << *lists.of_type(board, "core", kStart);
  EXPECT_EQ(*lists.of_type(board, "none", kStart), R"({"services":[]})");
}

TEST(ListBodies, AreMadeOnceForACrowdOfReaders) {
  ListBodies lists;
  const auto board = board_of({view_of("a", HealthStatus::healthy)}, 1, 1);
  const ListBodies::Body first = lists.services(board, kStart);
  const std::uint64_t bytes = lists.bytes_made();
  EXPECT_EQ(lists.services(board, kStart + std::chrono::hours(1)), first);
  EXPECT_EQ(lists.bytes_made(), bytes);
}

TEST(ListBodies, FollowAChangedStatusAtOnceAndFiguresAfterAMoment) {
  ListBodies lists;
  const auto before = board_of({view_of("a", HealthStatus::healthy, 1)}, 1, 1);
  const ListBodies::Body first = lists.services(before, kStart);
  const auto figures = board_of({view_of("a", HealthStatus::healthy, 2)}, 2, 1);
  EXPECT_EQ(lists.services(figures, kStart + Millis(99)), first);
  const ListBodies::Body second = lists.services(figures, kStart + Millis(100));
  EXPECT_NE(second->find("\"responseTime\":2"), std::string::npos);
  const auto sick = board_of({view_of("a", HealthStatus::unhealthy, 2)}, 3, 2);
  EXPECT_NE(lists.services(sick, kStart + Millis(100))->find("unhealthy"), std::string::npos);
}

TEST(ListBodies, NeverGoBackForAReaderWithAnOlderBoard) {
  ListBodies lists;
  const auto older = board_of({view_of("a", HealthStatus::healthy)}, 1, 1);
  const auto newer = board_of({view_of("a", HealthStatus::unhealthy)}, 2, 2);
  const ListBodies::Body newest = lists.status(newer, false, kStart);
  EXPECT_EQ(lists.status(older, false, kStart + std::chrono::seconds(1)), newest);
}

}  // namespace
}  // namespace azora::orchestrator
