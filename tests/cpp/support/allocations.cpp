#include "support/allocations.hpp"

#include <cstdlib>
#include <new>

namespace azora {
namespace {
thread_local std::uint64_t blocks = 0;
}
std::uint64_t allocations_so_far() { return blocks; }
}  // namespace azora

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void* operator new(std::size_t size) {
  ++azora::blocks;
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

#endif
