#pragma once
// How one thread hands immutable versions of a value to all others. A reader keeps a copy of the
// pointer and asks one atomic number whether it is still the newest: 2-3 ns, no lock, no shared
// write. Only after a change it takes the lock once. (atomic<shared_ptr> costs ten to a hundred
// times that and is not clean under ThreadSanitizer with libstdc++ 12.)
//   Published<T> + Seen<T>   the reader keeps its own Seen
//   SnapshotCell<T>::read()  the calling thread keeps it for the reader
//   SnapshotCell<T>::take()  no thread keeps anything, each read takes the lock: for versions that are large and
//                            change often, since a thread that idles would pin the one it saw last
// Threads: publish() one thread at a time (any, for Published); readers any, each its own Seen.
// Ownership: a reader holds the version that it last saw by read() until it reads again, its thread ends or the cell
// is destroyed. Fails: never.
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "azora/base/mutex.hpp"
#include "azora/base/per_thread.hpp"

namespace azora {

// What one reader saw last of one Published; version 0: nothing yet.
template <typename T>
struct Seen {
  std::uint64_t version = 0;
  std::shared_ptr<const T> value;
};

template <typename T>
class Published {
 public:
  Published() = default;
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}

  void publish(std::shared_ptr<const T> next) {
    {
      MutexLock lock(mutex_);
      value_.swap(next);
      version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }  // `next` now holds the old version, perhaps its last reference: it is destroyed outside the lock
  }

  // Starts at 1 and grows by one with each publish().
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // Brings the reader's own copy up to date; true when it had to be replaced.
  bool refresh(Seen<T>& seen) const {
    if (seen.version == version()) [[likely]] return false;
    renew(seen);
    return true;
  }
  std::shared_ptr<const T> load() const {
    MutexLock lock(mutex_);
    return value_;
  }

 private:
  [[gnu::noinline]] void renew(Seen<T>& seen) const {
    std::shared_ptr<const T> old = std::move(seen.value);  // destroyed outside the lock
    MutexLock lock(mutex_);
    seen.value = value_;
    seen.version = version_.load(std::memory_order_relaxed);
  }

  std::atomic<std::uint64_t> version_{1};
  mutable Mutex mutex_;
  std::shared_ptr<const T> value_ AZORA_GUARDED_BY(mutex_);
};

template <typename T>
class SnapshotCell {
 public:
  using Value = std::shared_ptr<const T>;

  explicit SnapshotCell(Value first = nullptr) : published_(std::move(first)) {}

  void publish(Value next) { published_.publish(std::move(next)); }
  std::uint64_t version() const { return published_.version(); }

  // The newest version. The reference is good until this thread's next read() of this cell.
  const Value& read() const {
    Seen<T>& seen = seen_.here();
    published_.refresh(seen);
    return seen.value;
  }
  // The newest version, held by the caller alone.
  Value take() const { return published_.load(); }

 private:
  Published<T> published_;
  PerThread<Seen<T>> seen_;
};

}  // namespace azora
