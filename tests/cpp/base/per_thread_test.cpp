#include "azora/base/per_thread.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>

namespace azora {
namespace {

// Counts how many of its kind live.
struct Counted {
  static inline std::atomic<int> alive{0};
  int value = 0;
  Counted() { alive.fetch_add(1); }
  ~Counted() { alive.fetch_sub(1); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
};

TEST(PerThread, EachThreadHasItsOwnAndKeepsIt) {
  PerThread<Counted> owner;
  owner.here().value = 1;
  std::thread([&] {
    EXPECT_EQ(owner.here().value, 0);
    owner.here().value = 2;
    EXPECT_EQ(owner.here().value, 2);
  }).join();
  EXPECT_EQ(owner.here().value, 1);
}

TEST(PerThread, EachOwnerHasItsOwnOnTheSameThread) {
  PerThread<Counted> one;
  PerThread<Counted> other;
  one.here().value = 1;
  other.here().value = 2;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(one.here().value, 1);
    EXPECT_EQ(other.here().value, 2);
  }
}

TEST(PerThread, GoesWithTheThread) {
  PerThread<Counted> owner;
  const int before = Counted::alive;
  std::thread([&] { owner.here().value = 1; }).join();
  EXPECT_EQ(Counted::alive, before);
}

TEST(PerThread, GoesWithTheOwnerOnEveryThread) {
  const int before = Counted::alive;
  std::atomic<int> step{0};
  auto owner = std::make_unique<PerThread<Counted>>();
  owner->here();
  std::thread other([&] {
    owner->here();
    step.store(1);
    step.notify_all();
    step.wait(1);
    PerThread<Counted> next;  // this thread's place of the one that is gone is cleared
    EXPECT_EQ(next.here().value, 0);
  });
  step.wait(0);
  EXPECT_EQ(Counted::alive, before + 2);
  owner = nullptr;
  EXPECT_EQ(Counted::alive, before);
  step.store(2);
  step.notify_all();
  other.join();
}

// An owner at the address of one that is gone must not find its State.
TEST(PerThread, ANewOwnerAtAnOldAddressStartsAnew) {
  alignas(PerThread<Counted>) unsigned char place[sizeof(PerThread<Counted>)];
  for (int i = 0; i < 3; ++i) {
    auto* owner = new (place) PerThread<Counted>();
    EXPECT_EQ(owner->here().value, 0);
    owner->here().value = 7;
    owner->~PerThread();
  }
}

// A thread_local that was there before ends after the thread's places.
TEST(PerThread, AnswersWhileItsThreadIsEnding) {
  static PerThread<Counted>* asked = nullptr;
  static std::atomic<int> answered{0};
  struct Late {
    int touched = 0;
    ~Late() {
      asked->here().value = 5;
      ++answered;
    }
  };
  const int before = Counted::alive;
  {
    PerThread<Counted> owner;
    asked = &owner;
    std::thread([&] {
      static thread_local Late late;
      late.touched = 1;
      owner.here().value = 1;
    }).join();
    EXPECT_EQ(answered, 1);
  }
  EXPECT_EQ(Counted::alive, before);
}

TEST(PerThread, OwnersAndThreadsMayEndTogether) {
  const int before = Counted::alive;
  for (int round = 0; round < 200; ++round) {
    auto owner = std::make_unique<PerThread<Counted>>();
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        owner->here().value = 1;
        ready.fetch_add(1);
      });
    }
    while (ready < 3) std::this_thread::yield();
    owner = nullptr;  // while the threads end
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_EQ(Counted::alive, before);
}

}  // namespace
}  // namespace azora
