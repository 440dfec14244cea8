// What one service of a large fleet costs in memory before anything is known of it, counted by the allocator.
#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "azora/model/spec_parser.hpp"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define AZORA_OWN_ALLOCATOR 1
#endif

namespace azora {
namespace {

std::string text_of(int i, const std::string& more) {
  return R"({"id":"service-)" + std::to_string(10'000 + i) + R"(","type":"core","endpoint":"http://127.0.1.1:7001")" + more + "}";
}

std::size_t bytes_each(const std::string& more) {
  constexpr int kServices = 1'000;
  std::vector<SpecPtr> specs;
  specs.reserve(kServices);
  const std::size_t before = mallinfo2().uordblks;
  for (int i = 0; i < kServices; ++i) {
    specs.push_back(parse_service(text_of(i, more), {.origin = Origin::rest}).value().front());
  }
  return (mallinfo2().uordblks - before) / kServices;
}

TEST(SpecMemory, WhatServicesHaveInCommonIsStoredOnce) {
#ifdef AZORA_OWN_ALLOCATOR
  GTEST_SKIP() << "the sanitizer's allocator does not say what is in use";
#endif
  EXPECT_LE(bytes_each(""), 600U);
  // Settings that all of them have cost nothing but their text.
  const std::string settings = R"(,"maxRestarts":7,"restartDelay":3000,"healthCheckInterval":5000,)"
                               R"("healthCheck":{"method":"HEAD","headers":{"X-Key":"a long value of a header field"}})";
  EXPECT_LE(bytes_each(settings), 600U + settings.size());
}

}  // namespace
}  // namespace azora
