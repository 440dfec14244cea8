#include "azora/model/event.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

namespace azora {
namespace {

Event event_of(EventType type, EventDetail detail) {
  Event event;
  event.seq = 42;
  event.time = WallTime{1'709'210'096'789};
  event.type = type;
  event.service_id = std::make_shared<const std::string>("orders");
  event.incarnation = 3;
  event.cause = "crash";
  event.detail = std::make_unique<const EventDetail>(std::move(detail));
  return event;
}

TEST(EventType, HasAWireNameOfItsOwnAndReadsItBack) {
  std::set<std::string_view> names;
  for (int i = 0; i < kEventTypeCount; ++i) {
    const auto type = static_cast<EventType>(i);
    EXPECT_TRUE(names.insert(wire_name(type)).second);
    EXPECT_EQ(event_type_from_wire(wire_name(type)), type);
  }
  EXPECT_EQ(wire_name(EventType::service_restarted), "serviceRestarted");
  EXPECT_EQ(wire_name(EventType::gap), "gap");
  EXPECT_EQ(event_type_from_wire("serviceUnknown"), std::nullopt);
}

TEST(EventJson, Rule35CarriesTheKeysOfItsType) {
  EventDetail restarted;
  restarted.attempt = 2;
  restarted.max_restarts = 5;
  restarted.downtime_ms = 1500;
  EXPECT_EQ(event_json(event_of(EventType::service_restarted, std::move(restarted))),
            R"({"seq":42,"time":"2024-02-29T12:34:56.789Z","type":"serviceRestarted",)"
            R"("serviceId":"orders",)"
            R"("incarnation":3,"cause":"crash","attempt":2,"maxRestarts":5,"downtimeMs":1500})");
  Event checked = event_of(EventType::health_check, {});
  checked.check_status = HealthStatus::healthy;
  checked.response_ms = 7;
  EXPECT_EQ(
      event_json(checked),
      R"({"seq":42,"time":"2024-02-29T12:34:56.789Z","type":"healthCheck","serviceId":"orders",)"
      R"("incarnation":3,"cause":"crash","status":"healthy","responseTime":7})");
  EventDetail exited;
  exited.pid = 9;
  exited.has_exit = true;
  exited.signal = SIGKILL;
  EXPECT_EQ(
      event_json(event_of(EventType::service_exited, std::move(exited))),
      R"({"seq":42,"time":"2024-02-29T12:34:56.789Z","type":"serviceExited","serviceId":"orders",)"
      R"("incarnation":3,"cause":"crash","pid":9,"code":null,"signal":"SIGKILL","oom":null})");
  EventDetail blocked;
  blocked.blocked_by = {"db", "cache"};
  blocked.reason = "waits for \"db\"";
  EXPECT_EQ(
      event_json(event_of(EventType::service_blocked, std::move(blocked))),
      R"({"seq":42,"time":"2024-02-29T12:34:56.789Z","type":"serviceBlocked","serviceId":"orders",)"
      R"("incarnation":3,"cause":"crash","blockedBy":["db","cache"],"reason":"waits for \"db\""})");
}

TEST(EventJson, SaysNullWhereItIsAboutNoOneAndNamesTheActor) {
  Event event;
  event.seq = 1;
  event.type = EventType::mass_unhealthy;
  event.actor = "orchestrator";
  EXPECT_EQ(event_json(event),
            R"({"seq":1,"time":"1970-01-01T00:00:00.000Z","type":"massUnhealthy","serviceId":null,)"
            R"("incarnation":0,"cause":null,"actor":"orchestrator"})");
}

TEST(SignalName, KnowsTheStandardOnesAndCountsTheRest) {
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(34), "SIG34");
  EXPECT_EQ(signal_number("SIGTERM"), SIGTERM);
  EXPECT_EQ(signal_number("KILL"), SIGKILL);
  EXPECT_EQ(signal_number("SIGNOPE"), std::nullopt);
  EXPECT_EQ(signal_number(""), std::nullopt);
  for (int i = 1; i < 32; ++i) EXPECT_EQ(signal_number(signal_name(i)), i);
}

}  // namespace
}  // namespace azora
