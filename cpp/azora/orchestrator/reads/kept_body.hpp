#pragma once
// One large text made of the published state, kept and shared by its readers. It is made again at once when membership,
// status or lifecycle of any service changed, and at most every 100 ms for fresher figures. It is made under its own
// lock, so that many readers at a time make it once.
// Threads: any. Ownership: texts are shared with their readers. Fails: never.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

using Body = std::shared_ptr<const std::string>;

// The published state as a reader found it: the board, and the number of writes of figures at that time.
struct Moment {
  std::uint64_t figures = 0;            // read before the board: the next reader sees later writes
  std::shared_ptr<const Board> board;
  SteadyTime now{};
};

class KeptBody {
 public:
  // make(out) writes the whole text; `bytes` counts what was made.
  template <typename Make>
  Body fresh(const Moment& moment, std::atomic<std::uint64_t>& bytes, const Make& make) {
    MutexLock lock(mutex_);
    const bool changed = body_ == nullptr || list_version_ < moment.board->list_version;
    const bool fresher = version_ < moment.board->version || figures_ < moment.figures;
    // A reader with an older board gets the kept text: the text never goes back in time.
    const bool older = version_ > moment.board->version;
    if (!older && (changed || (fresher && moment.now - made_ >= kFresh))) {
      std::string text;
      text.reserve(body_ ? body_->size() + body_->size() / 64 + 256 : 4096);
      make(text);
      bytes.fetch_add(text.size(), std::memory_order_relaxed);
      list_version_ = moment.board->list_version;
      figures_ = moment.figures;
      version_ = moment.board->version;
      made_ = moment.now;
      body_ = std::make_shared<const std::string>(std::move(text));
    }
    return body_;
  }

 private:
  static constexpr Millis kFresh{100};

  Mutex mutex_;
  std::uint64_t version_ AZORA_GUARDED_BY(mutex_) = 0;
  std::uint64_t list_version_ AZORA_GUARDED_BY(mutex_) = 0;
  std::uint64_t figures_ AZORA_GUARDED_BY(mutex_) = 0;
  SteadyTime made_ AZORA_GUARDED_BY(mutex_){};
  Body body_ AZORA_GUARDED_BY(mutex_);
};

}  // namespace azora::orchestrator
