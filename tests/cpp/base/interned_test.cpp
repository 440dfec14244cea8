#include "azora/base/interned.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace azora {
namespace {

// A value of which every copy is counted.
struct Counted {
  static inline std::atomic<int> alive{0};
  std::string text;

  Counted(std::string value = "") : text(std::move(value)) { ++alive; }
  Counted(const Counted& other) : text(other.text) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  friend bool operator==(const Counted& a, const Counted& b) { return a.text == b.text; }
  std::uint64_t hash() const { return hash_bytes(text) & 3; }  // many values share one
};

TEST(Interned, EqualValuesAreOneValueAndTheLastOwnerFreesIt) {
  ASSERT_EQ(Counted::alive, 0);
  {
    const Interned<Counted> a(Counted("a"));
    const Interned<Counted> also_a(Counted("a"));
    Interned<Counted> b(Counted("b"));
    EXPECT_EQ(&*a, &*also_a);
    EXPECT_EQ(a, also_a);
    EXPECT_FALSE(a == b);
    EXPECT_EQ(Counted::alive, 2);
    b = a;
    EXPECT_EQ(Counted::alive, 1);
    EXPECT_EQ(b->text, "a");
    Interned<Counted> moved(std::move(b));
    EXPECT_EQ(moved, a);
    moved = Interned<Counted>(Counted("c"));
    EXPECT_EQ(moved->text, "c");
    Interned<Counted>& itself = moved;
    moved = itself;
    EXPECT_EQ(moved->text, "c");
  }
  EXPECT_EQ(Counted::alive, 0);
}

TEST(Interned, StandsForItsString) {
  const Interned<std::string> path = "/health";
  const std::string& text = path;
  EXPECT_EQ(text, "/health");
  EXPECT_TRUE(path == "/health");
  EXPECT_TRUE(path == std::string("/health"));
  EXPECT_TRUE(Interned<std::string>() == "");
}

TEST(Interned, ThreadsThatTakeAndDropTheSameValuesShareThem) {
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int step = 0; step < 5'000; ++step) {
        const std::string text = std::to_string(step % 5);
        const Interned<Counted> one{Counted(text)};
        const Interned<Counted> copy = one;
        if (copy->text != text) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Counted::alive, 0);
}

}  // namespace
}  // namespace azora
