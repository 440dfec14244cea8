#include "azora/base/thread_role.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace azora {
namespace {

// Release builds check nothing.
#ifndef NDEBUG

TEST(ThreadRole, IsHeldByTheThreadOfTheScopeAlone) {
  const ThreadRole role;
  EXPECT_FALSE(role.held());
  {
    const ThreadRole::Scope here(role);
    EXPECT_TRUE(role.held());
    bool elsewhere = true;
    std::thread([&] { elsewhere = role.held(); }).join();
    EXPECT_FALSE(elsewhere);
  }
  EXPECT_FALSE(role.held());
}

TEST(ThreadRole, AThreadMayHaveSeveral) {
  const ThreadRole one;
  const ThreadRole other;
  const ThreadRole::Scope first(one);
  {
    const ThreadRole::Scope second(other);
    EXPECT_TRUE(one.held());
    EXPECT_TRUE(other.held());
  }
  EXPECT_TRUE(one.held());
  EXPECT_FALSE(other.held());
}

#endif

}  // namespace
}  // namespace azora
