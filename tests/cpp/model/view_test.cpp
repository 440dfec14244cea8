#include "azora/model/view.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace azora {
namespace {

const Figures kFigures{.last_check = WallTime{1'709'210'096'789}, .uptime_ms = 96'789, .response_ms = 4};

ServiceView example() {
  auto spec = std::make_shared<ServiceSpec>();
  spec->id = "orders";
  spec->config.own = R"({"id":"orders"})";
  ServiceView view;
  view.spec = spec;
  view.status = HealthStatus::healthy;
  view.lifecycle = Lifecycle::ready;
  view.incarnation = 2;
  view.start_time = WallTime{1'709'210'000'000};
  view.restart_count = 1;
  return view;
}

constexpr std::string_view kHealth =
    R"({"serviceId":"orders","status":"healthy","lastCheck":"2024-02-29T12:34:56.789Z",)"
    R"("uptime":96789,)"
    R"("restartCount":1,"errorCount":0,"responseTime":4)";

TEST(ServiceView, WritesHealthWithTheKeysOfTheSeed) {
  EXPECT_EQ(example().health_json(kFigures), std::string(kHealth) + "}");
}

TEST(ServiceView, PassesCpuAndMemoryThroughAndAddsItsOwnKeyLast) {
  Figures figures = kFigures;
  figures.remarks = std::make_shared<const Remarks>(
      Remarks{"no response within 5000 ms", std::make_shared<const std::string>("0.5"),
              std::make_shared<const std::string>(R"({"rss":1})"), {}, {}});
  EXPECT_EQ(example().health_json(figures),
            std::string(kHealth) +
                R"(,"cpu":0.5,"memory":{"rss":1},"lastError":"no response within 5000 ms"})");
}

TEST(ServiceView, WritesTheServiceOfAUrl) {
  EXPECT_EQ(example().service_json(kFigures),
            R"({"config":{"id":"orders"},"health":)" + std::string(kHealth) +
                R"(},"startTime":"2024-02-29T12:33:20.000Z","lifecycle":"READY","desired":"up"})");
}

TEST(ServiceView, WritesTheServiceOfAProcess) {
  ServiceView view = example();
  view.restart_required = true;
  view.desired = Desired::hold;
  view.process = ProcessView{};
  view.process->pid = 77;
  view.process->started_at = WallTime{0};
  Figures figures = kFigures;
  figures.remarks = std::make_shared<const Remarks>(Remarks{{}, {}, {}, 12.3456, 1024});
  view.process->last_exit = ExitView{.signal = SIGKILL, .oom = false, .at = WallTime{0}};
  view.process->log_dropped = 4;
  view.process->log_loss = std::make_shared<const LogLossView>(LogLossView{3, 40, WallTime{0}, "no room", true});
  EXPECT_EQ(
      view.service_json(figures),
      R"({"config":{"id":"orders"},"health":)" + std::string(kHealth) +
          R"(},"startTime":"2024-02-29T12:33:20.000Z","lifecycle":"READY","desired":"hold",)"
          R"("restartRequired":true,"process":{"pid":77,"incarnation":2,)"
          R"("startedAt":"1970-01-01T00:00:00.000Z","cpuPercent":12.35,"rssBytes":1024,"lastExit":)"
          R"({"code":null,"signal":"SIGKILL","oom":false,"at":"1970-01-01T00:00:00.000Z"},"logDropped":4,)"
          R"("logLoss":{"lines":3,"bytes":40,"since":"1970-01-01T00:00:00.000Z","reason":"no room","goesOn":true}}})");
}

TEST(ServiceView, WritesNullsForAProcessThatDoesNotRun) {
  ServiceView view = example();
  view.process = ProcessView{};
  EXPECT_NE(view.service_json().find(R"("process":{"pid":null,"incarnation":2,"startedAt":null,)"
                                     R"("cpuPercent":null,"rssBytes":null,"lastExit":null,"logDropped":0})"),
            std::string::npos);
}

TEST(ServiceView, ReadsTheFiguresOfTheMoment) {
  FigurePages pages;
  const auto record = pages.make();
  ServiceView view = example();
  view.record = record;
  EXPECT_NE(view.health_json().find(R"("lastCheck":"1970-01-01T00:00:00.000Z")"), std::string::npos);
  record->checked(kFigures.last_check, kFigures.response_ms, 0, kFigures.uptime_ms);
  EXPECT_EQ(view.health_json(), std::string(kHealth) + "}");
}

}  // namespace
}  // namespace azora
