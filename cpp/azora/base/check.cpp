#include "azora/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace azora {
namespace {
std::atomic<std::uint64_t> bugs{0};
}

std::uint64_t bug_count() { return bugs.load(std::memory_order_relaxed); }

void report_bug(const char* file, int line, const char* what, std::atomic<bool>& reported) {
  bugs.fetch_add(1, std::memory_order_relaxed);
  if (!reported.exchange(true)) {
    std::fprintf(stderr, "azora: internal error at %s:%d: %s does not hold\n", file, line, what);
  }
#ifndef NDEBUG
  std::abort();
#endif
}

}  // namespace azora
