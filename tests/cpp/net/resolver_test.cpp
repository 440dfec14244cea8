#include "azora/net/resolver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <set>

#include "azora/base/mutex.hpp"

namespace azora::net {
namespace {

constexpr SteadyTime kStart{std::chrono::seconds(1000)};

// A resolver whose name server is the test.
struct Rig {
  struct Server {
    Mutex mutex;
    CondVar changed;
    int ready = 0;
    int lookups = 0;
    bool hangs = false;
    std::set<std::string> hanging;  // names that are not answered
    Lookup answer;
  };
  std::shared_ptr<Server> server = std::make_shared<Server>();
  Resolver resolver{options(), [server = server] {
                      MutexLock lock(server->mutex);
                      ++server->ready;
                      server->changed.notify_all();
                    }};

  Resolver::Options options() const {
    Resolver::Options out;
    out.lookup = [server = server](const std::string& host) {
      MutexLock lock(server->mutex);
      ++server->lookups;
      server->changed.notify_all();
      server->changed.wait(server->mutex, [&] { return !server->hangs && !server->hanging.contains(host); });
      return server->answer;
    };
    return out;
  }
  void answer(const std::string& address, bool temporary = false) {
    MutexLock lock(server->mutex);
    server->answer = {};
    server->answer.temporary = temporary;
    if (!address.empty()) server->answer.addresses.push_back(*Address::parse(address, 0));
  }
  void hang(bool hangs) {
    MutexLock lock(server->mutex);
    server->hangs = hangs;
    server->changed.notify_all();
  }
  int lookups() const {
    MutexLock lock(server->mutex);
    return server->lookups;
  }
  std::vector<std::string> collect(SteadyTime now) {
    server->mutex.lock();
    const auto limit = std::chrono::steady_clock::time_point::max();
    server->changed.wait_until(server->mutex, limit, [&] { return server->ready > 0; });
    server->ready = 0;
    server->mutex.unlock();
    return resolver.collect(now);
  }
  // Whether that many lookups were begun in time.
  bool begun(int count) const {
    MutexLock lock(server->mutex);
    return server->changed.wait_until(server->mutex, std::chrono::steady_clock::now() + std::chrono::seconds(20),
                                      [&] { return server->lookups >= count; });
  }
  void let_go() {
    MutexLock lock(server->mutex);
    server->hanging.clear();
    server->changed.notify_all();
  }
  std::vector<Address> addresses;
  std::string find(const std::string& host, SteadyTime now) {
    const Resolver::Answer found = resolver.find(host, 80, now, addresses);
    if (found.state == Resolver::State::pending) return "pending";
    return found.state == Resolver::State::none ? "none" : addresses[0].text();
  }
};

TEST(Resolver, NumericHostsAndLocalhostNeedNoLookup) {
  Rig rig;
  EXPECT_EQ(rig.find("10.0.0.1", kStart), "10.0.0.1");
  EXPECT_EQ(rig.find("::1", kStart), "::1");
  rig.resolver.find("localhost", 80, kStart, rig.addresses);
  ASSERT_EQ(rig.addresses.size(), 2u);
  EXPECT_EQ(rig.addresses[0], *Address::parse("127.0.0.1", 80));
  EXPECT_EQ(rig.lookups(), 0);
}

TEST(Resolver, AsksOnceAndRemembers) {
  Rig rig;
  rig.answer("10.0.0.1");
  EXPECT_EQ(rig.find("a.test", kStart), "pending");
  EXPECT_EQ(rig.find("a.test", kStart), "pending");
  EXPECT_EQ(rig.collect(kStart), std::vector<std::string>{"a.test"});
  EXPECT_EQ(rig.find("a.test", kStart + std::chrono::seconds(14)), "10.0.0.1");
  EXPECT_EQ(rig.lookups(), 1);
}

TEST(Resolver, RenewsBehindTheScenes) {
  Rig rig;
  rig.answer("10.0.0.1");
  rig.find("a.test", kStart);
  rig.collect(kStart);
  rig.answer("10.0.0.2");
  const SteadyTime later = kStart + std::chrono::seconds(15);
  EXPECT_EQ(rig.find("a.test", later), "10.0.0.1");
  rig.collect(later);
  EXPECT_EQ(rig.find("a.test", later), "10.0.0.2");
}

// Whatever the name server says or leaves unsaid: what answers at the last address is still the service.
TEST(Resolver, AKnownNameIsAskedAtItsLastAddressWhileItCannotBeLookedUpAgain) {
  for (const bool temporary : {true, false}) {
    Rig rig;
    rig.answer("10.0.0.1");
    rig.find("a.test", kStart);
    rig.collect(kStart);
    EXPECT_FALSE(rig.resolver.find("a.test", 80, kStart, rig.addresses).stale);
    rig.answer("", temporary);
    SteadyTime now = kStart + std::chrono::minutes(60);
    EXPECT_EQ(rig.find("a.test", now), "10.0.0.1");
    rig.collect(now);
    const Resolver::Answer answer = rig.resolver.find("a.test", 80, now, rig.addresses);
    ASSERT_EQ(answer.state, Resolver::State::found);
    EXPECT_EQ(rig.addresses[0].text(), "10.0.0.1");
    EXPECT_TRUE(answer.stale);
    // A failed refresh is repeated after a second, not after a whole period.
    const int lookups = rig.lookups();
    rig.answer("10.0.0.2");
    now += Millis(1000);
    rig.find("a.test", now);
    rig.collect(now);
    EXPECT_EQ(rig.lookups(), lookups + 1);
    EXPECT_EQ(rig.find("a.test", now), "10.0.0.2");
    EXPECT_FALSE(rig.resolver.find("a.test", 80, now, rig.addresses).stale);
  }
}

TEST(Resolver, ARefreshThatHangsIsTroubleAfterOnePeriod) {
  Rig rig;
  rig.answer("10.0.0.1");
  rig.find("a.test", kStart);
  rig.collect(kStart);
  rig.hang(true);
  const SteadyTime asked = kStart + std::chrono::seconds(15);
  EXPECT_FALSE(rig.resolver.find("a.test", 80, asked, rig.addresses).stale);  // just asked for
  const Resolver::Answer later = rig.resolver.find("a.test", 80, asked + std::chrono::seconds(15), rig.addresses);
  EXPECT_EQ(later.state, Resolver::State::found);
  EXPECT_TRUE(later.stale);
  rig.hang(false);
}

TEST(Resolver, Rule63NamesThatHangDelayNoOther) {
  Rig rig;
  rig.answer("10.0.0.1");
  constexpr int kHanging = 12;
  for (int i = 0; i < kHanging; ++i) {
    const std::string host = "hung" + std::to_string(i) + ".test";
    rig.server->hanging.insert(host);
    EXPECT_EQ(rig.find(host, kStart), "pending");
  }
  EXPECT_EQ(rig.find("good.test", kStart), "pending");
  ASSERT_TRUE(rig.begun(kHanging + 1)) << rig.lookups();
  EXPECT_EQ(rig.collect(kStart), std::vector<std::string>{"good.test"});
  EXPECT_EQ(rig.find("good.test", kStart), "10.0.0.1");
  EXPECT_EQ(rig.find("hung0.test", kStart), "pending");
  rig.let_go();
}

// Threads are for what hangs: names that are answered at once need a few.
TEST(Resolver, NamesThatAreAnsweredNeedFewThreads) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  const auto before = threads();
  Rig rig;
  rig.answer("10.0.0.1");
  constexpr int kNames = 500;
  for (int i = 0; i < kNames; ++i) rig.find("name" + std::to_string(i) + ".test", kStart);
  ASSERT_TRUE(rig.begun(kNames));
  EXPECT_LT(threads() - before, 40);  // of 64; one more starts for every 20 ms in which none makes progress
}

TEST(Resolver, BelievesThatANameIsGoneAndAsksAgainAfterASecond) {
  Rig rig;
  rig.answer("");
  rig.find("a.test", kStart);
  rig.collect(kStart);
  EXPECT_EQ(rig.find("a.test", kStart + Millis(999)), "none");
  EXPECT_EQ(rig.lookups(), 1);
  rig.answer("10.0.0.1");
  EXPECT_EQ(rig.find("a.test", kStart + Millis(1000)), "pending");
  rig.collect(kStart + Millis(1000));
  EXPECT_EQ(rig.find("a.test", kStart + Millis(1001)), "10.0.0.1");
}

TEST(Resolver, TheSystemKnowsLocalNames) {
  const Lookup unknown = system_lookup("does-not-exist.invalid");
  EXPECT_TRUE(unknown.addresses.empty());
}

}  // namespace
}  // namespace azora::net
