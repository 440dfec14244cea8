#pragma once
// Invariants. AZORA_ASSERT(x) stops a debug or test build at the spot; in release it reports once per
// site, counts, and goes on: a bug of ours never takes a user's interpreter down.
#include <atomic>
#include <cstdint>

namespace azora {

// Number of failed invariants in this process (release builds; exported as a metric).
std::uint64_t bug_count();
void report_bug(const char* file, int line, const char* what, std::atomic<bool>& reported);

}  // namespace azora

#define AZORA_ASSERT(condition)                                                  \
  do {                                                                           \
    if (!(condition)) [[unlikely]] {                                             \
      static std::atomic<bool> azora_reported{false};                            \
      ::azora::report_bug(__FILE__, __LINE__, #condition, azora_reported);       \
    }                                                                            \
  } while (false)
