#pragma once
// Says which edit may still change a node of a persistent structure in place: the edit that made the node, until it
// returns its result. The number of that edit is in the node. Reference counts cannot answer this, since readers on
// other threads change them at the same time. Threads: any.
#include <atomic>
#include <cstdint>

namespace azora {

using EditToken = std::uint64_t;

// Never returns the same token twice in a process.
inline EditToken new_edit_token() {
  static std::atomic<EditToken> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace azora
