#include "azora/health/net_prober.hpp"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <set>

#include "health/prober_rig.hpp"
#include "health/scripted_server.hpp"

namespace azora::health {
namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// A port of loopback on which nobody listens.
std::uint16_t dead_port() { return ScriptedServer([](Peer&) {}).port(); }

TEST(NetProber, CarriesTheIdentityOfTheQuestionAndTheStatusOfTheAnswer) {
  ScriptedServer server(ScriptedServer::always(kOk));
  ProberRig rig;
  const SteadyTime before = rig.loop.now().steady;
  const ProbeResult result = rig.ask(http_target(server.port()), 42);
  EXPECT_EQ(result.serial, 42u);
  EXPECT_EQ(result.incarnation, 7u);
  EXPECT_EQ(result.generation, 9u);
  EXPECT_EQ(result.outcome, Outcome::answered);
  EXPECT_EQ(result.http_status, 200);
  EXPECT_EQ(result.error, "");
  EXPECT_GT(result.latency, Micros(0));
  EXPECT_GE(result.ended, before + result.latency);
  EXPECT_LE(result.ended, rig.loop.now().steady);
}

TEST(NetProber, AsksTheConfiguredQuestion) {
  Mutex mutex;
  std::string seen;
  ScriptedServer server([&](Peer& peer) {
    std::string request = peer.request();
    {
      MutexLock lock(mutex);
      seen = std::move(request);
    }
    peer.send("HTTP/1.1 204 No Content\r\n\r\n");
  });
  ProberRig rig;
  auto target = std::make_shared<ProbeTarget>(*http_target(server.port()));
  target->method = "HEAD";
  target->path = "/live?x=1";
  target->headers = ProbeHeaders{{"X-Token", "abc"}};
  EXPECT_EQ(rig.ask(target).http_status, 204);
  MutexLock lock(mutex);
  EXPECT_EQ(seen, "HEAD /live?x=1 HTTP/1.1\r\nX-Token: abc\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                      "\r\nUser-Agent: azora-orchestrator\r\nConnection: close\r\n\r\n");
}

TEST(NetProber, CopiesCpuAndMemoryOfA2xxBodyOnly) {
  const auto answer = [](const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const std::string body = R"({"status":"ok","cpu":0.5,"memory":{"rss":1}})";
  ScriptedServer good(ScriptedServer::always(answer("200 OK", body)));
  ScriptedServer bad(ScriptedServer::always(answer("503 No", body)));
  ProberRig rig;
  const ProbeResult result = rig.ask(http_target(good.port()));
  ASSERT_TRUE(result.cpu && result.memory);
  EXPECT_EQ(*result.cpu, "0.5");
  EXPECT_EQ(*result.memory, R"({"rss":1})");
  const ProbeResult other = rig.ask(http_target(bad.port()), 2);
  EXPECT_EQ(other.http_status, 503);
  EXPECT_FALSE(other.cpu || other.memory);
}

TEST(NetProber, ARefusedConnectionIsRefused) {
  ProberRig rig;
  const std::uint16_t port = dead_port();
  for (const char* scheme : {"http", "tcp"}) {
    const ProbeResult result = rig.ask(target_of(scheme, "127.0.0.1", port));
    EXPECT_EQ(result.outcome, Outcome::refused) << scheme;
    EXPECT_EQ(result.error, "connection refused") << scheme;
    EXPECT_EQ(result.http_status, 0);
  }
}

TEST(NetProber, ATcpCheckPassesOnTheConnectionAlone) {
  ScriptedServer server([](Peer& peer) { peer.wait_for_end(); });
  ProberRig rig;
  const ProbeResult result = rig.ask(target_of("tcp", "127.0.0.1", server.port()));
  EXPECT_EQ(result.outcome, Outcome::answered);
  EXPECT_EQ(result.http_status, 0);
}

TEST(NetProber, AServiceThatNeverAnswersTimesOutAtItsDeadline) {
  ScriptedServer server([](Peer& peer) { peer.wait_for_end(); });
  ProberRig rig;
  for (const int timeout : {100, 250}) {
    const SteadyTime before = rig.loop.now().steady;
    const ProbeResult result = rig.ask(http_target(server.port(), Millis(timeout)));
    EXPECT_EQ(result.outcome, Outcome::timed_out);
    EXPECT_EQ(result.error, "no response within " + std::to_string(timeout) + " ms");
    EXPECT_GE(result.ended - before, Nanos(Millis(timeout)));  // how exact it is: TimerWheel's tests, on virtual time
  }
  EXPECT_EQ(server.accepted(), 2);  // a connection that owes an answer is not used again
}

TEST(NetProber, AConnectionThatCannotBeMadeTimesOut) {
  // A full backlog: the kernel of the target drops the handshake.
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 0), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int filler = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(filler, reinterpret_cast<sockaddr*>(&address), size), 0);
  ProberRig rig;
  for (const char* scheme : {"http", "tcp"}) {
    const ProbeResult result = rig.ask(target_of(scheme, "127.0.0.1", ntohs(address.sin_port), Millis(200)));
    EXPECT_EQ(result.outcome, Outcome::timed_out) << scheme;
    EXPECT_EQ(result.error, "no connection within 200 ms") << scheme;
  }
  ::close(filler);
  ::close(listener);
}

TEST(NetProber, AStaleKeptConnectionIsReplacedWithoutAFailure) {
  ScriptedServer server([](Peer& peer) {  // one answer, then gone without a word
    peer.request();
    peer.send(kOk);
    peer.request();
    peer.close();
  });
  ProberRig rig;
  for (int i = 0; i < 10; ++i) {
    const ProbeResult result = rig.ask(kept(http_target(server.port())));
    EXPECT_EQ(result.outcome, Outcome::answered) << i << " " << result.error;
  }
  EXPECT_EQ(server.accepted(), 10);
  EXPECT_EQ(rig.prober.counters().retries, 9u);
}

TEST(NetProber, AFreshConnectionThatClosesIsNotAskedAgain) {
  ScriptedServer server([](Peer& peer) { peer.request(); });
  ProberRig rig;
  EXPECT_EQ(rig.ask(http_target(server.port())).outcome, Outcome::protocol_error);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(NetProber, AConnectionClosedBetweenChecksIsNoticedAndMadeAnew) {
  ScriptedServer server([](Peer& peer) {
    peer.request();
    peer.send(kOk);
    peer.close();
  });
  ProberRig rig;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rig.ask(kept(http_target(server.port()))).http_status, 200);
    const std::uint64_t closed = static_cast<std::uint64_t>(i) + 1;
    EXPECT_TRUE(rig.run_until([&] { return rig.prober.counters().closes >= closed; }));
  }
  EXPECT_EQ(rig.prober.counters().retries, 0u);
}

TEST(NetProber, WhatAPeerSaysUnaskedDoesNotPassAsAnAnswer) {
  ScriptedServer server([](Peer& peer) {
    peer.request();
    peer.send(kOk);
    peer.pause(20);
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    while (!peer.request().empty()) peer.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  });
  ProberRig rig;
  EXPECT_EQ(rig.ask(kept(http_target(server.port()))).http_status, 200);
  EXPECT_TRUE(rig.run_until([&] { return rig.prober.counters().closes == 1; }));
  EXPECT_EQ(rig.ask(kept(http_target(server.port()))).http_status, 200);
  EXPECT_EQ(server.accepted(), 2);
}

TEST(NetProber, LocalhostIsBothLoopbacks) {
  ScriptedServer v4(ScriptedServer::always(kOk));
  ProberRig rig;
  EXPECT_EQ(rig.ask(target_of("http", "localhost", v4.port())).http_status, 200);
  ScriptedServer v6(ScriptedServer::always(kOk), AF_INET6);
  if (!v6.usable()) GTEST_SKIP() << "no IPv6 loopback here";
  EXPECT_EQ(rig.ask(target_of("http", "localhost", v6.port()), 2).http_status, 200);
  EXPECT_EQ(rig.ask(target_of("http", "::1", v6.port()), 3).http_status, 200);
}

TEST(NetProber, NamesAreResolvedOffThread) {
  ScriptedServer server(ScriptedServer::always(kOk));
  NetProberOptions options;
  options.resolver.lookup = [](const std::string& host) {
    net::Lookup out;
    if (host == "known.test") out.addresses.push_back(*net::Address::parse("127.0.0.1", 0));
    return out;
  };
  ProberRig rig(std::move(options));
  EXPECT_EQ(rig.ask(target_of("http", "known.test", server.port())).http_status, 200);
  const ProbeResult unknown = rig.ask(target_of("http", "unknown.test", server.port()), 2);
  EXPECT_EQ(unknown.outcome, Outcome::unresolved);
  EXPECT_EQ(unknown.error, "the name unknown.test has no address");
}

TEST(NetProber, AKnownNameIsAskedAtItsLastAddressAndTheTroubleIsRemarked) {
  ScriptedServer server(ScriptedServer::always(kOk));
  NetProberOptions options;
  const auto lookups = std::make_shared<std::atomic<int>>(0);
  options.resolver.fresh = Millis(1);
  options.resolver.retry = Millis(1);
  options.resolver.lookup = [lookups](const std::string&) {
    net::Lookup out;
    if (++*lookups == 1) out.addresses.push_back(*net::Address::parse("127.0.0.1", 0));
    return out;
  };
  ProberRig rig(std::move(options));
  // Each serial by a connection of its own: a kept one needs no name.
  EXPECT_EQ(rig.ask(target_of("http", "db.test", server.port())).remark, "");
  std::uint64_t serial = 1;
  ProbeResult result;
  while (serial < 200 && result.remark.empty()) {
    result = rig.ask(target_of("http", "db.test", server.port()), ++serial);
    ASSERT_EQ(result.outcome, Outcome::answered) << result.error;
  }
  EXPECT_EQ(result.remark, "the name db.test could not be looked up again; its last address is used");
}

// In a network of its own whose only ephemeral ports are the one that is asked and its neighbour. How many of the answers
// were wrong; kNoNetwork: it cannot be made here.
constexpr int kNoNetwork = 77;
int wrong_answers_of_a_free_port(const char* scheme) {
  constexpr std::uint16_t kPort = 40'000;
  const pid_t child = ::fork();
  if (child == 0) {
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    if (::unshare(CLONE_NEWNET) != 0) ::_exit(kNoNetwork);
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    if (::ioctl(fd, SIOCSIFFLAGS, &request) != 0) ::_exit(kNoNetwork);
    std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "40000 40001" << std::flush;
    int wrong = 0;
    {
      ProberRig rig;
      for (int i = 0; i < 20; ++i) {
        const ProbeResult result = rig.ask(target_of(scheme, "127.0.0.1", kPort, Millis(1000)));
        if (result.outcome != Outcome::refused || result.error != "connection refused") ++wrong;
      }
    }
    ::_exit(wrong);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

// Each in a network of its own: one that has met itself there keeps the next one from it for a minute.
TEST(NetProber, AConnectionToItselfIsARefusedOne) {
  for (const char* scheme : {"tcp", "http"}) {
    const int wrong = wrong_answers_of_a_free_port(scheme);
    if (wrong == kNoNetwork) GTEST_SKIP() << "needs the right to make a network namespace";
    EXPECT_EQ(wrong, 0) << scheme;
  }
}

TEST(NetProber, AHungNameServerHoldsUpNeitherTheDeadlineNorOthers) {
  // Shared with the lookups, which outlive the prober.
  struct Hang {
    Mutex mutex;
    CondVar changed;
    bool over = false;
  };
  const auto hang = std::make_shared<Hang>();
  {
    ScriptedServer server(ScriptedServer::always(kOk));
    NetProberOptions options;
    options.resolver.lookup = [hang](const std::string& host) {
      if (host == "known.test") return net::Lookup{.addresses = {*net::Address::parse("127.0.0.1", 0)}};
      MutexLock lock(hang->mutex);
      hang->changed.wait(hang->mutex, [&] { return hang->over; });
      return net::Lookup{};
    };
    ProberRig rig(std::move(options));
    std::vector<ProbeRequest> batch;
    for (std::uint64_t serial = 1; serial <= 20; ++serial) {
      const std::string host = "hung" + std::to_string(serial) + ".test";
      batch.push_back({.serial = serial, .target = target_of("http", host, server.port(), Millis(100))});
    }
    // A name that the name server knows is not behind those that hang (R63).
    batch.push_back({.serial = 98, .target = target_of("http", "known.test", server.port(), Millis(20'000))});
    batch.push_back({.serial = 99, .target = http_target(server.port())});
    const auto results = rig.ask(std::move(batch));
    for (const ProbeResult& result : results) {
      EXPECT_EQ(result.outcome, result.serial >= 98 ? Outcome::answered : Outcome::unresolved) << result.serial;
    }
    EXPECT_EQ(results[0].serial, 99u);
  }
  MutexLock lock(hang->mutex);
  hang->over = true;
  hang->changed.notify_all();
}

TEST(NetProber, NeverConnectsToLinkLocalOrMetadataAddresses) {
  NetProberOptions options;
  options.resolver.lookup = [](const std::string&) {
    net::Lookup out;
    out.addresses.push_back(*net::Address::parse("169.254.169.254", 0));
    return out;
  };
  ProberRig rig(std::move(options));
  for (const char* host : {"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254",
                           "100.100.100.200", "metadata.test"}) {
    for (const char* scheme : {"http", "https", "tcp"}) {
      const ProbeResult result = rig.ask(target_of(scheme, host, 80, Millis(500)));
      EXPECT_EQ(result.outcome, Outcome::refused) << host << scheme;
      EXPECT_NE(result.error.find("never probed"), std::string::npos) << host << scheme << result.error;
    }
  }
  EXPECT_EQ(rig.prober.counters().connects, 0u);
}

TEST(NetProber, ForgetAnswersTheOpenProbeOnceAndDropsTheConnection) {
  ScriptedServer hung([](Peer& peer) { peer.wait_for_end(); });
  ScriptedServer good(ScriptedServer::always(kOk));
  ProberRig rig;
  rig.loop.post([&] {
    rig.post_ask({{.serial = 1, .target = http_target(hung.port())}});
    rig.forget(1);
  });
  const auto results = rig.wait_for(1);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].outcome, Outcome::cancelled);
  rig.ask(kept(http_target(good.port())), 2);
  rig.loop.post([&] { rig.forget(2); });
  EXPECT_TRUE(rig.run_until([&] { return rig.prober.counters().closes >= 2; }));
  rig.ask(kept(http_target(good.port())), 2);
  EXPECT_EQ(good.accepted(), 2);
  EXPECT_EQ(rig.answers[1], 1);
}

TEST(NetProber, StopAnswersEveryOpenProbeAndLaterOnes) {
  ScriptedServer hung([](Peer& peer) { peer.wait_for_end(); });
  ProberRig rig;
  rig.loop.post([&] {
    std::vector<ProbeRequest> batch;
    for (std::uint64_t serial = 1; serial <= 100; ++serial) {
      batch.push_back({.serial = serial, .target = http_target(hung.port())});
    }
    rig.post_ask(std::move(batch));
    rig.prober.stop();
    rig.prober.stop();
    rig.post_ask({{.serial = 101, .target = http_target(hung.port())}});
    rig.forget(5);
  });
  for (const ProbeResult& result : rig.wait_for(101)) EXPECT_EQ(result.outcome, Outcome::cancelled);
  for (std::uint64_t serial = 1; serial <= 101; ++serial) EXPECT_EQ(rig.answers[serial], 1);
}

TEST(NetProber, ASinkIsNotCalledOnceItsProberIsGone) {
  AsioLoop loop;
  bool called = false;
  {
    NetProber prober(loop);
    prober.set_sink([&](const std::vector<ProbeResult>&) { called = true; });
    ASSERT_TRUE(prober.start().ok());
    std::vector<ProbeRequest> batch = {{.serial = 1, .slot = 0, .target = http_target(9)}};
    prober.ask(batch);
  }
  loop.post([&] { loop.stop(); });
  loop.run();
  EXPECT_FALSE(called);
}

TEST(NetProber, AnEndpointThatMovesGetsANewConnection) {
  ScriptedServer first(ScriptedServer::always(kOk));
  ScriptedServer second(ScriptedServer::always("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
  ProberRig rig;
  EXPECT_EQ(rig.ask(kept(http_target(first.port()))).http_status, 200);
  EXPECT_EQ(rig.ask(kept(http_target(second.port()))).http_status, 503);
  EXPECT_EQ(rig.ask(target_of("tcp", "127.0.0.1", second.port())).outcome, Outcome::answered);
}

TEST(NetProber, OutOfDescriptorsIsOverloadAndDecidesNothing) {
  ScriptedServer server(ScriptedServer::always(kOk));
  ProberRig rig;
  std::vector<int> eaten;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) eaten.push_back(fd);
  const ProbeResult result = rig.ask(http_target(server.port()));
  for (const int fd : eaten) ::close(fd);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(result.outcome, Outcome::overloaded);
  EXPECT_EQ(rig.ask(http_target(server.port())).outcome, Outcome::answered);
}

TEST(NetProber, KeepsNoMoreIdleConnectionsThanAllowed) {
  ScriptedServer server(ScriptedServer::always(kOk));
  NetProberOptions options;
  options.fd_limit = 6;
  ProberRig rig(std::move(options));
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t serial = 1; serial <= 5; ++serial) {
      EXPECT_EQ(rig.ask(kept(http_target(server.port())), serial).http_status, 200);
    }
  }
  EXPECT_EQ(rig.prober.counters().reused, 3u);
}

TEST(NetProber, AnswersAThousandMixedProbesExactlyOnce) {
  ScriptedServer good(ScriptedServer::always(kOk));
  ScriptedServer hung([](Peer& peer) { peer.wait_for_end(); });
  ScriptedServer rude([](Peer& peer) {
    peer.request();
    peer.reset();
  });
  const std::uint16_t dead = dead_port();
  ProberRig rig;
  for (int round = 0; round < 3; ++round) {
    std::vector<ProbeRequest> batch;
    for (std::uint64_t serial = 0; serial < 400; ++serial) {
      const std::uint16_t ports[] = {good.port(), hung.port(), rude.port(), dead};
      const Millis timeout = serial % 4 == 1 ? Millis(400) : Millis(30'000);  // only who hangs is waited for
      batch.push_back({.serial = serial, .target = http_target(ports[serial % 4], timeout)});
    }
    const Outcome wanted[] = {Outcome::answered, Outcome::timed_out, Outcome::refused, Outcome::refused};
    for (const ProbeResult& result : rig.ask(std::move(batch))) {
      EXPECT_EQ(result.outcome, wanted[result.serial % 4]) << result.serial << " " << result.error;
    }
  }
  for (std::uint64_t serial = 0; serial < 400; ++serial) EXPECT_EQ(rig.answers[serial], 3);
}

}  // namespace
}  // namespace azora::health
