#pragma once
// A number that one thread changes and any thread reads: metrics are read without asking the thread that counts.
// Threads: add() and set() one thread at a time; value() any. Ownership: none. Fails: never.
#include <atomic>
#include <cstdint>

namespace azora {

class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  // One writer: a plain store is enough, and costs a tenth of an atomic addition.
  void add(std::uint64_t count = 1) { set(value() + count); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace azora
