#include "azora/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace azora {
namespace {

constexpr int kWrittenExceptions = 16;

std::atomic<std::uint64_t> bugs{0};
std::atomic<int> written{0};

template <typename Use>
void with_words(const std::exception_ptr& exception, Use use) {
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& known) {
    use(known.what());
  } catch (...) {
    use("unknown exception");
  }
}

}  // namespace

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

void report_exception(const char* where, const std::exception_ptr& exception) noexcept {
  bugs.fetch_add(1, std::memory_order_relaxed);
  if (written.fetch_add(1, std::memory_order_relaxed) >= kWrittenExceptions) return;
  with_words(exception, [&](const char* words) {
    std::fprintf(stderr, "azora: internal error: %s: unexpected exception: %s\n", where, words);
  });
}

std::string exception_words(const std::exception_ptr& exception) {
  std::string words;
  with_words(exception, [&](const char* known) { words = known; });
  return words;
}

}  // namespace azora
