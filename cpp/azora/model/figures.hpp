#pragma once
// The figures of a service: values that change with every check and that no decision depends on. They lie in one fixed
// record per service beside the immutable views, so a check that changes only figures replaces no view.
//   FigurePages   hands out records in pages; a record keeps its place and is never given to another service
//   FigureRecord  written by one thread, read by any: numbers under a sequence counter, strings under a lock that is
//                 taken only if there are strings and they change or are read
//   Figures       a copy of one moment
// Threads: FigurePages::make() and the writer's part of a record: one thread (the control thread); the rest: any.
// Ownership: views share their record, so it outlives every reader. Fails: never.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"

namespace azora {

// Figures that most services of a large fleet do not have.
struct Remarks {
  std::string last_error;                    // empty: none
  std::shared_ptr<const std::string> cpu;    // JSON text of its last answer, or null
  std::shared_ptr<const std::string> memory;
  std::optional<double> cpu_percent;         // of its process, as sampled
  std::optional<std::int64_t> rss_bytes;
  bool empty() const { return last_error.empty() && !cpu && !memory && !cpu_percent && !rss_bytes; }
};

struct Figures {
  WallTime last_check;
  std::int64_t uptime_ms = 0;                // as of last_check
  std::int64_t response_ms = 0;
  std::int64_t error_count = 0;
  std::shared_ptr<const Remarks> remarks;    // null: none

  const std::string& last_error() const;     // empty: none
};

class FigureRecord {
 public:
  FigureRecord() = default;
  FigureRecord(const FigureRecord&) = delete;
  FigureRecord& operator=(const FigureRecord&) = delete;

  // All figures as they are at one moment.
  Figures read() const;
  // Changes with each write. For texts that are kept until something changes.
  std::uint32_t version() const { return version_.load(std::memory_order_acquire); }

  // For the writer only. It reads back what it wrote without a lock.
  // A check was counted. `uptime_ms`: as of this check, if it passed.
  void checked(WallTime at, std::int64_t response_ms, std::uint32_t error_count, std::optional<std::int64_t> uptime_ms);
  void alive(WallTime at, std::int64_t uptime_ms);  // no check, but the service is known to run
  void set_error_count(std::uint32_t error_count);
  void begin(WallTime at);                          // nothing is known yet
  void set_last_error(const std::string& error);
  void set_body(const std::shared_ptr<const std::string>& cpu, const std::shared_ptr<const std::string>& memory);
  void set_usage(std::optional<double> cpu_percent, std::optional<std::int64_t> rss_bytes);
  const std::string& last_error() const;

 private:
  friend class FigurePages;
  struct Page;
  class Writing;

  template <typename Change>
  void remark(const Change& change);
  const Remarks* own_remarks() const AZORA_NO_THREAD_SAFETY_ANALYSIS { return remarks_.get(); }

  // Numbers are stored with release and loaded with acquire. A reader that meets a number of a later write also sees
  // the version of that write, and reads again. (Fences would be shorter to write, but ThreadSanitizer does not know
  // them.)
  std::atomic<std::uint32_t> version_{0};     // odd while a write is under way
  std::atomic<std::uint32_t> error_count_{0};
  std::atomic<std::int64_t> last_check_ms_{0};
  std::atomic<std::int64_t> uptime_ms_{0};
  std::atomic<std::int32_t> response_ms_{0};
  std::atomic<bool> remarked_{false};         // there are remarks
  Page* page_ = nullptr;
  std::shared_ptr<const Remarks> remarks_;    // guarded by page_->mutex; the writer, who alone changes it, reads it without
};

class FigurePages {
 public:
  FigurePages();
  ~FigurePages();
  FigurePages(const FigurePages&) = delete;
  FigurePages& operator=(const FigurePages&) = delete;

  // A new record, all zero. It lives as long as any record of its page is held.
  std::shared_ptr<FigureRecord> make();
  // The number of writes to all records so far.
  std::uint64_t writes() const { return clock_->load(std::memory_order_acquire); }

 private:
  static constexpr std::size_t kPage = 64;

  std::shared_ptr<std::atomic<std::uint64_t>> clock_;
  std::shared_ptr<FigureRecord::Page> page_;  // the newest
  std::size_t used_ = kPage;                  // how many of its records are used
  friend class FigureRecord;
};

}  // namespace azora
