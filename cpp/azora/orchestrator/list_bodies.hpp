#pragma once
// The bodies of the lists (/status, /services), made at most once per version: at once after a change of
// membership, status or lifecycle, for fresher check figures at most every 100 ms (semantics 13).
// Threads: any; a body is made under the lock of its kind, so that a crowd of readers makes it once.
// Ownership: bodies are shared with their readers. Fails: never.
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"
#include "azora/orchestrator/board.hpp"

namespace azora::orchestrator {

class ListBodies {
 public:
  using Body = std::shared_ptr<const std::string>;

  // {"running","totalServices","healthyServices","unhealthyServices","services":[health..]}; detailed: with
  // each one's "config".
  Body status(const std::shared_ptr<const Board>& board, bool detailed, SteadyTime now);
  // {"services":[health..]}
  Body services(const std::shared_ptr<const Board>& board, SteadyTime now);
  // {"services":[{"id","name","type","health"}..]} of one type.
  Body of_type(const std::shared_ptr<const Board>& board, const std::string& type, SteadyTime now);

  std::uint64_t bytes_made() const { return bytes_made_.load(std::memory_order_relaxed); }

 private:
  struct Kept {
    std::uint64_t list_version = 0;
    std::shared_ptr<const Board> board;
    SteadyTime made{};
    Body body;
  };
  struct Slot {
    Mutex mutex;
    Kept kept AZORA_GUARDED_BY(mutex);
  };

  template <typename Make>
  Body fresh(Slot& slot, const std::shared_ptr<const Board>& board, SteadyTime now, const Make& make);

  static constexpr std::size_t kTypes = 64;  // whose bodies are kept

  Slot status_;
  Slot detailed_;
  Slot services_;
  Mutex types_mutex_;
  std::map<std::string, std::shared_ptr<Slot>> types_ AZORA_GUARDED_BY(types_mutex_);
  std::atomic<std::uint64_t> bytes_made_{0};
};

}  // namespace azora::orchestrator
