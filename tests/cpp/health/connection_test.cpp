// Which connection a check goes over, and how it ends.
#include <gtest/gtest.h>

#include <atomic>

#include "health/prober_rig.hpp"
#include "health/scripted_server.hpp"

namespace azora::health {
namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string kBusy = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";

// Serves each connection to its end; counts the requests of each.
struct Counting {
  explicit Counting(std::function<std::string(int request)> answer)
      : server([this, answer](Peer& peer) {
          while (!peer.request().empty() && peer.send(answer(++requests))) {
          }
        }) {}
  std::atomic<int> requests{0};
  ScriptedServer server;
};

TEST(Connection, EachCheckIsByANewOneUnlessAskedOtherwise) {
  Counting service([](int) { return kOk; });
  ProberRig rig;
  for (int i = 1; i <= 7; ++i) {
    EXPECT_EQ(rig.ask(http_target(service.server.port())).http_status, 200);
    EXPECT_EQ(service.server.accepted(), i);
  }
  EXPECT_EQ(rig.prober.counters().reused, 0u);
}

TEST(Connection, AKeptOneServesFiveChecks) {
  Counting service([](int) { return kOk; });
  ProberRig rig;
  for (int i = 0; i < 23; ++i) {
    EXPECT_EQ(rig.ask(kept(http_target(service.server.port()))).http_status, 200);
    EXPECT_EQ(service.server.accepted(), i / 5 + 1) << i;
  }
}

TEST(Connection, AfterAFailureTheNextIsByANewOne) {
  Counting service([](int request) { return request == 2 ? kBusy : kOk; });
  ProberRig rig;
  const int expected[] = {200, 503, 200, 200};
  const int connections[] = {1, 1, 2, 2};
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(rig.ask(kept(http_target(service.server.port()))).http_status, expected[i]);
    EXPECT_EQ(service.server.accepted(), connections[i]) << i;
  }
}

TEST(Connection, AServiceThatTakesNoNewOnesFailsWithinFiveChecksThoughOldOnesAreServed) {
  auto service = std::make_unique<Counting>([](int) { return kOk; });
  const std::uint16_t port = service->server.port();
  ProberRig rig;
  EXPECT_EQ(rig.ask(kept(http_target(port))).http_status, 200);
  service->server.stop_listening();
  int passed = 0;
  while (rig.ask(kept(http_target(port))).outcome == Outcome::answered) ++passed;
  EXPECT_EQ(passed, 4);
}

// 0: the port is free for a plain bind at once.
int bind_again(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int failed = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  ::close(fd);
  return failed;
}

// Whichever side closes first, a service that ends can bind its port again at once, without SO_REUSEADDR.
TEST(Connection, LeavesNoTimeWaitAtTheService) {
  const std::pair<const char*, ScriptedServer::Behaviour> services[] = {
      {"goes on", ScriptedServer::always(kOk)},
      {"closes after its answer",
       [](Peer& peer) {
         peer.request();
         peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
         peer.close();
       }},
      {"ends its answer by closing",
       [](Peer& peer) {
         peer.request();
         peer.send("HTTP/1.0 200 OK\r\n\r\nok");
         peer.close();
       }},
      {"closes without an answer", [](Peer& peer) { peer.request(); }},
  };
  for (const auto& [name, behave] : services) {
    for (const std::uint64_t count : {1, 8}) {  // one by itself; a round of them
      std::uint16_t port = 0;
      ProberRig rig;
      {
        ScriptedServer server(behave);
        port = server.port();
        std::vector<ProbeRequest> batch;
        for (std::uint64_t serial = 1; serial <= count; ++serial) batch.push_back({.serial = serial, .target = http_target(port)});
        rig.ask(std::move(batch));
        EXPECT_TRUE(rig.run_until([&] { return rig.prober.counters().closes >= count; })) << name;
      }
      EXPECT_EQ(bind_again(port), 0) << name << " " << count;
    }
  }
}

}  // namespace
}  // namespace azora::health
