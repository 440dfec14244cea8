#pragma once
// How many blocks of memory this thread takes while something runs. Counted by the global operator new of
// allocations.cpp; sanitizers keep their own (then nothing is counted and the bounds hold of themselves).
// Threads: counts are per thread.
#include <cstddef>
#include <cstdint>

namespace azora {

std::uint64_t allocations_so_far();

template <typename Act>
std::size_t allocations_of(Act act) {
  const std::uint64_t before = allocations_so_far();
  act();
  return static_cast<std::size_t>(allocations_so_far() - before);
}

}  // namespace azora
