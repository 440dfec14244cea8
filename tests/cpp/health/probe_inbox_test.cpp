#include "azora/health/probe_inbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace azora::health {
namespace {

std::vector<ProbeRequest> requests(std::initializer_list<Serial> serials) {
  std::vector<ProbeRequest> all;
  for (const Serial serial : serials) all.push_back({.serial = serial});
  return all;
}

std::vector<Serial> rest(ProbeInbox& inbox) {
  std::vector<Serial> all;
  while (inbox.left() > 0) all.push_back(inbox.next().serial);
  return all;
}

TEST(ProbeInbox, AsksForOneWakeUpUntilItWasLookedInto) {
  ProbeInbox inbox;
  std::vector<ProbeRequest> batch = requests({1});
  EXPECT_TRUE(inbox.push(batch));
  batch = requests({2});
  EXPECT_FALSE(inbox.push(batch));
  inbox.take();
  batch = requests({3});
  EXPECT_TRUE(inbox.push(batch));
}

TEST(ProbeInbox, KeepsTheOrderWhateverIsLeftOfTheLastRound) {
  ProbeInbox inbox;
  std::vector<ProbeRequest> batch = requests({1, 2, 3});
  static_cast<void>(inbox.push(batch));
  EXPECT_EQ(inbox.left(), 0u) << "not taken yet";
  inbox.take();
  EXPECT_EQ(inbox.next().serial, 1u);
  for (const auto& more : {requests({4}), requests({5, 6})}) {
    batch = more;
    static_cast<void>(inbox.push(batch));
    EXPECT_TRUE(batch.empty());
  }
  inbox.take();
  EXPECT_EQ(inbox.left(), 5u);
  EXPECT_EQ(rest(inbox), (std::vector<Serial>{2, 3, 4, 5, 6}));
  inbox.take();
  EXPECT_EQ(inbox.left(), 0u);
}

TEST(ProbeInbox, LearnsThatItIsStoppedTogetherWithWhatCameBefore) {
  ProbeInbox inbox;
  std::vector<ProbeRequest> batch = requests({1});
  static_cast<void>(inbox.push(batch));
  inbox.stop();
  EXPECT_FALSE(inbox.stopped());
  inbox.take();
  EXPECT_TRUE(inbox.stopped());
  EXPECT_EQ(rest(inbox), (std::vector<Serial>{1}));
}

TEST(ProbeInbox, LosesNothingBetweenTwoThreads) {
  constexpr Serial kAll = 20'000;
  ProbeInbox inbox;
  std::thread pusher([&] {
    for (Serial serial = 1; serial <= kAll; ++serial) {
      std::vector<ProbeRequest> batch = requests({serial});
      static_cast<void>(inbox.push(batch));
    }
    inbox.stop();
  });
  Serial last = 0;
  while (!inbox.stopped() || inbox.left() > 0) {
    inbox.take();
    while (inbox.left() > 0) EXPECT_EQ(inbox.next().serial, ++last);
  }
  pusher.join();
  EXPECT_EQ(last, kAll);
}

// A fleet that is registered at once asks all its questions at once, and later a few at a time.
TEST(ProbeInbox, FreesWhatABurstNeeded) {
  ProbeInbox inbox;
  std::vector<ProbeRequest> batch;
  std::size_t most = 0;
  for (const std::size_t size : {std::size_t{20'000}, std::size_t{1}, std::size_t{1}, std::size_t{1}, std::size_t{1}}) {
    batch.resize(size);
    static_cast<void>(inbox.push(batch));
    inbox.take();
    rest(inbox);
    most = std::max(most, batch.capacity());
  }
  EXPECT_LE(batch.capacity(), 4096U);
  EXPECT_LE(most, 20'000U);
}

}  // namespace
}  // namespace azora::health
