#pragma once
// How many blocks of memory this thread takes while something runs, and want of memory on demand. By the global operator
// new of allocations.cpp; sanitizers keep their own (then nothing is counted and the bounds hold of themselves).
// Threads: counts are per thread.
#include <cstddef>
#include <cstdint>

namespace azora {

std::uint64_t allocations_so_far();

// One allocation of the thread of that name throws bad_alloc, the one after `spared` others from now on. False: sanitizers
// allocate here.
bool fail_one_allocation_of(const char* thread, std::uint64_t spared = 0);
// Whether it did; takes the order back where it did not.
bool has_failed_one();

template <typename Act>
std::size_t allocations_of(Act act) {
  const std::uint64_t before = allocations_so_far();
  act();
  return static_cast<std::size_t>(allocations_so_far() - before);
}

}  // namespace azora
