#pragma once
// Invariants, and exceptions that arrive where none should. AZORA_ASSERT(x) stops a debug or test build at the spot; in
// release it reports once per site, counts, and goes on: a bug of ours never takes a user's interpreter down.
// Threads: any. Fails: never.
#include <atomic>
#include <cstdint>
#include <exception>
#include <string>

namespace azora {

// Number of failed invariants and reported exceptions in this process (exported as a metric).
std::uint64_t bug_count();
void report_bug(const char* file, int line, const char* what, std::atomic<bool>& reported);

// Called at the top of loops and threads, the only places that catch exceptions. It counts as a bug; the first few of
// a process are written to stderr. It stops no build: the cause may lie outside, such as a lack of memory.
// `where`: the name of the thread or the loop.
void report_exception(const char* where, const std::exception_ptr& exception) noexcept;
// The exception's what(); "unknown exception" when it is not a std::exception.
std::string exception_words(const std::exception_ptr& exception);

}  // namespace azora

#define AZORA_ASSERT(condition)                                                  \
  do {                                                                           \
    if (!(condition)) [[unlikely]] {                                             \
      static std::atomic<bool> azora_reported{false};                            \
      ::azora::report_bug(__FILE__, __LINE__, #condition, azora_reported);       \
    }                                                                            \
  } while (false)
