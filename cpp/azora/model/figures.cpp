#include "azora/model/figures.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace azora {

struct FigureRecord::Page {
  explicit Page(std::shared_ptr<std::atomic<std::uint64_t>> shared) : clock(std::move(shared)) {
    for (FigureRecord& record : records) record.page_ = this;
  }
  Mutex mutex;  // guards the strings of its records
  std::shared_ptr<std::atomic<std::uint64_t>> clock;
  std::array<FigureRecord, FigurePages::kPage> records;
};

// One write: a reader that meets a part of it reads again.
class FigureRecord::Writing {
 public:
  explicit Writing(FigureRecord& record) : record_(record), version_(record.version_.load(std::memory_order_relaxed)) {
    record_.version_.store(version_ + 1, std::memory_order_relaxed);
  }
  ~Writing() {
    record_.version_.store(version_ + 2, std::memory_order_release);
    // There is one writer, so no read-modify-write is needed.
    std::atomic<std::uint64_t>& clock = *record_.page_->clock;
    clock.store(clock.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

  template <typename T, typename Value>
  static void put(std::atomic<T>& place, Value value) {
    place.store(static_cast<T>(value), std::memory_order_release);
  }

 private:
  FigureRecord& record_;
  const std::uint32_t version_;
};

namespace {

const std::string kNone;

bool same(const std::shared_ptr<const std::string>& a, const std::shared_ptr<const std::string>& b) {
  return a == b || (a && b && *a == *b);
}

}  // namespace

const std::string& Figures::last_error() const { return remarks ? remarks->last_error : kNone; }

Figures FigureRecord::read() const {
  constexpr int kSpins = 100;  // a write takes some nanoseconds, unless its thread was descheduled
  for (int tries = 0;; ++tries) {
    const std::uint32_t before = version_.load(std::memory_order_acquire);
    if ((before & 1U) == 0) {
      Figures figures;
      figures.last_check = {last_check_ms_.load(std::memory_order_acquire)};
      figures.uptime_ms = uptime_ms_.load(std::memory_order_acquire);
      figures.response_ms = response_ms_.load(std::memory_order_acquire);
      figures.error_count = error_count_.load(std::memory_order_acquire);
      if (remarked_.load(std::memory_order_acquire)) {
        MutexLock lock(page_->mutex);
        figures.remarks = remarks_;
      }
      if (version_.load(std::memory_order_relaxed) == before) return figures;
    }
    if (tries >= kSpins) std::this_thread::yield();
  }
}

void FigureRecord::checked(WallTime at, std::int64_t response_ms, std::uint32_t error_count,
                           std::optional<std::int64_t> uptime_ms) {
  const Writing writing(*this);
  if (uptime_ms) Writing::put(uptime_ms_, *uptime_ms);
  Writing::put(last_check_ms_, at.ms);
  Writing::put(response_ms_, std::clamp<std::int64_t>(response_ms, 0, INT32_MAX));
  Writing::put(error_count_, error_count);
}

void FigureRecord::alive(WallTime at, std::int64_t uptime_ms) {
  const Writing writing(*this);
  Writing::put(last_check_ms_, at.ms);
  Writing::put(uptime_ms_, uptime_ms);
}

void FigureRecord::set_error_count(std::uint32_t error_count) {
  if (error_count_.load(std::memory_order_relaxed) == error_count) return;
  const Writing writing(*this);
  Writing::put(error_count_, error_count);
}

void FigureRecord::begin(WallTime at) {
  remark([](Remarks& made) { made = {}; });
  const Writing writing(*this);
  Writing::put(last_check_ms_, at.ms);
  Writing::put(uptime_ms_, 0);
  Writing::put(response_ms_, 0);
  Writing::put(error_count_, 0);
}

const std::string& FigureRecord::last_error() const {
  const Remarks* remarks = own_remarks();
  return remarks != nullptr ? remarks->last_error : kNone;
}

void FigureRecord::set_last_error(const std::string& error) {
  if (error == last_error()) return;
  remark([&](Remarks& made) { made.last_error = error; });
}

void FigureRecord::set_body(const std::shared_ptr<const std::string>& cpu, const std::shared_ptr<const std::string>& memory) {
  const Remarks* known = own_remarks();
  const bool news = known == nullptr ? cpu || memory
                                     : (cpu && !same(cpu, known->cpu)) || (memory && !same(memory, known->memory));
  if (!news) return;
  remark([&](Remarks& made) {
    if (cpu) made.cpu = cpu;
    if (memory) made.memory = memory;
  });
}

void FigureRecord::set_usage(std::optional<double> cpu_percent, std::optional<std::int64_t> rss_bytes) {
  const Remarks* known = own_remarks();
  const bool news = known == nullptr ? cpu_percent || rss_bytes
                                     : cpu_percent != known->cpu_percent || rss_bytes != known->rss_bytes;
  if (!news) return;
  remark([&](Remarks& made) {
    made.cpu_percent = cpu_percent;
    made.rss_bytes = rss_bytes;
  });
}

// Readers may hold the old strings as long as they like; the lock is held only while a pointer is exchanged.
template <typename Change>
void FigureRecord::remark(const Change& change) {
  const Remarks* known = own_remarks();
  auto made = known != nullptr ? std::make_shared<Remarks>(*known) : std::make_shared<Remarks>();
  change(*made);
  std::shared_ptr<const Remarks> next;
  if (!made->empty()) next = std::move(made);
  if (next == nullptr && known == nullptr) return;
  const Writing writing(*this);
  Writing::put(remarked_, next != nullptr);
  MutexLock lock(page_->mutex);
  remarks_.swap(next);
}

FigurePages::FigurePages() : clock_(std::make_shared<std::atomic<std::uint64_t>>(0)) {}
FigurePages::~FigurePages() = default;

std::shared_ptr<FigureRecord> FigurePages::make() {
  if (used_ == kPage) {
    page_ = std::make_shared<FigureRecord::Page>(clock_);
    used_ = 0;
  }
  return {page_, &page_->records[used_++]};
}

}  // namespace azora
