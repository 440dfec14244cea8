// A lane that only this file knows, in a table that only this file has: all that a new kind of check needs.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <new>

#include "azora/health/lanes/table.hpp"
#include "azora/model/check_kinds.hpp"
#include "health/prober_rig.hpp"
#include "health/scripted_server.hpp"

namespace azora::health {
namespace {

struct Seen {
  int started = 0;
  int cancelled = 0;
  int forgotten = 0;
  int made = 0;
  std::string address;
};

// Answers at once with the status its target's path holds; "/never" is never answered, "/name" only by its address.
class EchoLane : public Lane {
 public:
  static inline Seen seen;

  explicit EchoLane(const World& world) : world_(world) { ++seen.made; }

  void start(Slot slot, const std::shared_ptr<const ProbeTarget>& target) override {
    ++seen.started;
    if (target->path == "/name") return world_.host->need_addresses(slot);
    if (target->path != "/never") answer(slot, std::stoi(target->path->substr(1)));
  }
  void addresses(Slot slot, std::vector<net::Address>& found) override {
    seen.address = found.at(0).text();
    answer(slot, 204);
  }
  void cancel(Slot) override { ++seen.cancelled; }
  void forget(Slot) override { ++seen.forgotten; }
  bool connected(Slot) const override { return false; }

 private:
  void answer(Slot slot, int status) {
    world_.host->on_end(slot, {.outcome = Outcome::answered, .http_status = status, .latency = Millis(3), .error = {}});
  }
  World world_;
};

constexpr auto kRows = std::to_array<LaneRow>({
    {ProbeKind::http, "echo", [](const Lane::World& world) -> std::unique_ptr<Lane> { return std::make_unique<EchoLane>(world); }},
});

// The product's own rows behind it.
std::span<const LaneRow> table() {
  static const std::vector<LaneRow> rows = [] {
    std::vector<LaneRow> all(kRows.begin(), kRows.end());
    all.insert(all.end(), lane_table().begin(), lane_table().end());
    return all;
  }();
  return rows;
}

std::shared_ptr<const ProbeTarget> echo(const std::string& path, Millis timeout = Millis(5000)) {
  auto target = std::make_shared<ProbeTarget>(*target_of("echo", "127.0.0.1", 1, timeout));
  target->path = path;
  return target;
}

TEST(Lane, ANewOneIsItsOwnFileAndARow) {
  EchoLane::seen = {};
  NetProberOptions options;
  options.lanes = table();
  options.resolver.lookup = [](const std::string&) {
    net::Lookup out;
    out.addresses.push_back(*net::Address::parse("127.0.0.9", 0));
    return out;
  };
  ScriptedServer server(ScriptedServer::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  ProberRig rig(std::move(options));
  const ProbeResult result = rig.ask(echo("/203"), 4);
  EXPECT_EQ(result.http_status, 203);
  EXPECT_EQ(result.latency, Micros(3000));
  EXPECT_EQ(result.incarnation, 7u);
  // Beside it, the others.
  EXPECT_EQ(rig.ask(http_target(server.port()), 5).http_status, 200);
  EXPECT_EQ(rig.ask(target_of("tcp", "127.0.0.1", server.port()), 6).outcome, Outcome::answered);
  // Deadlines and names are the worker's.
  const ProbeResult late = rig.ask(echo("/never", Millis(50)), 4);
  EXPECT_EQ(late.outcome, Outcome::timed_out);
  EXPECT_EQ(late.error, "no connection within 50 ms");
  EXPECT_EQ(EchoLane::seen.cancelled, 1);
  auto named = std::make_shared<ProbeTarget>(*echo("/name"));
  named->host = "echo.test";
  EXPECT_EQ(rig.ask(named, 4).http_status, 204);
  EXPECT_EQ(EchoLane::seen.address, "127.0.0.9");
  // A target that changes its kind leaves its lane.
  EXPECT_EQ(EchoLane::seen.forgotten, 0);
  EXPECT_EQ(rig.ask(http_target(server.port()), 4).http_status, 200);
  EXPECT_EQ(EchoLane::seen.forgotten, 1);
  EXPECT_EQ(EchoLane::seen.started, 3);
  EXPECT_EQ(EchoLane::seen.made, 1);
}

TEST(Lane, AKindWithoutARowIsNotAsked) {
  NetProberOptions options;
  options.lanes = {};
  ProberRig rig(std::move(options));
  EXPECT_EQ(rig.ask(http_target(9)).outcome, Outcome::cancelled);
}

class LaneWithoutRoom : public EchoLane {
 public:
  using EchoLane::EchoLane;
  void start(Slot, const std::shared_ptr<const ProbeTarget>&) override { throw std::bad_alloc(); }
};

constexpr auto kWithoutRoom = std::to_array<LaneRow>({
    {ProbeKind::http, "echo", [](const Lane::World& world) -> std::unique_ptr<Lane> { return std::make_unique<LaneWithoutRoom>(world); }},
});

TEST(Lane, AnExceptionOfOneEndsItsThreadAndIsTold) {
  std::promise<std::string> told;
  NetProberOptions options;
  options.lanes = kWithoutRoom;
  options.resolver.died = [&](const char* name, const std::string&) { told.set_value(name); };
  AsioLoop loop;
  NetProber prober(loop, std::move(options));
  ASSERT_TRUE(prober.start().ok());
  std::vector<ProbeRequest> batch{{.serial = 1, .slot = 0, .incarnation = 1, .generation = 1, .target = echo("/200")}};
  prober.ask(batch);
  std::future<std::string> name = told.get_future();
  ASSERT_EQ(name.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(name.get(), "az-net");
}

TEST(Lane, EveryKindThatIsAskedOverTheNetworkHasOneForAnyScheme) {
  for (const CheckKind& kind : kCheckKinds) {
    const auto lanes = lane_table();
    const bool has = std::any_of(lanes.begin(), lanes.end(),
                                 [&](const LaneRow& row) { return row.kind == kind.kind && row.scheme.empty(); });
    EXPECT_EQ(has, kind.asks) << kind.name;
  }
}

}  // namespace
}  // namespace azora::health
