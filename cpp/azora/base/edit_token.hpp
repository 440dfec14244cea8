#pragma once
// Who may still change a node of a persistent structure: the edit that made it, until the result is
// handed out. A number in the node answers that without looking at reference counts, which readers
// on other threads change at the same time. Threads: any.
#include <atomic>
#include <cstdint>

namespace azora {

using EditToken = std::uint64_t;

// Never the same twice in a process.
inline EditToken new_edit_token() {
  static std::atomic<EditToken> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace azora
