#pragma once
// A value that its first reader makes and all later readers share: for a part of an immutable object that is rarely
// needed. A second reader at the same moment makes the same value and drops its own. A copy begins without a value.
// Threads: any. Ownership: owns the value. Fails: never.
#include <atomic>
#include <memory>

namespace azora {

template <typename T>
class MadeOnce {
 public:
  MadeOnce() = default;
  MadeOnce(const MadeOnce&) {}
  MadeOnce& operator=(const MadeOnce&) = delete;
  ~MadeOnce() { delete value_.load(std::memory_order_acquire); }

  // The reference lives as long as this object. make() returns a T.
  template <typename Make>
  const T& get(const Make& make) const {
    const T* known = value_.load(std::memory_order_acquire);
    if (known) return *known;
    auto made = std::make_unique<const T>(make());
    if (value_.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *made.release();
    return *known;
  }

 private:
  mutable std::atomic<const T*> value_{nullptr};
};

}  // namespace azora
