#include "azora/base/thread.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "azora/base/check.hpp"

namespace azora {
namespace {

struct Death {
  std::string name;
  std::string reason;
};

template <typename Body>
Death run(Body body) {
  Death death;
  auto thread = start_thread("az-test", body, [&](const char* name, const std::string& reason) { death = {name, reason}; });
  EXPECT_TRUE(thread);
  thread->join();
  return death;
}

TEST(StartThread, AnExceptionEndsTheThreadAndNotTheProgram) {
  const std::uint64_t before = bug_count();
  const Death death = run([] { throw std::runtime_error("no room"); });
  EXPECT_EQ(death.name, "az-test");
  EXPECT_EQ(death.reason, "no room");
  EXPECT_EQ(bug_count(), before + 1);
}

TEST(StartThread, WhatIsNoStandardExceptionEndsTheThreadToo) {
  EXPECT_EQ(run([] { throw 7; }).reason, "unknown exception");
}

TEST(StartThread, ABodyThatReturnsIsNoDeath) {
  const std::uint64_t before = bug_count();
  EXPECT_EQ(run([] {}).name, "");
  EXPECT_EQ(bug_count(), before);
}

TEST(StartThread, WithoutAHookAndWithOneThatThrowsTheProgramGoesOn) {
  const std::uint64_t before = bug_count();
  start_thread("az-test", [] { throw std::runtime_error("first"); })->join();
  start_thread("az-test", [] { throw std::runtime_error("second"); },
               [](const char*, const std::string&) { throw std::runtime_error("third"); })->join();
  EXPECT_EQ(bug_count(), before + 3);
}

}  // namespace
}  // namespace azora
