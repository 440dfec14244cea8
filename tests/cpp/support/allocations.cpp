#include "support/allocations.hpp"

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace azora {
namespace {

thread_local std::uint64_t blocks = 0;
std::atomic<const char*> failing{nullptr};  // the name of a thread
std::atomic<std::uint64_t> spared_ones{0};

[[maybe_unused]] bool has_to_fail() {
  const char* name = failing.load(std::memory_order_relaxed);
  if (name == nullptr) return false;
  std::array<char, 16> here{};
  if (::pthread_getname_np(::pthread_self(), here.data(), here.size()) != 0 || std::strcmp(here.data(), name) != 0) return false;
  if (spared_ones.load() > 0) {
    --spared_ones;
    return false;
  }
  return failing.compare_exchange_strong(name, nullptr);
}

}  // namespace

std::uint64_t allocations_so_far() { return blocks; }

bool has_failed_one() { return failing.exchange(nullptr) == nullptr; }

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
bool fail_one_allocation_of(const char* thread, std::uint64_t spared) {
  spared_ones.store(spared);
  failing.store(thread);
  return true;
}
#else
bool fail_one_allocation_of(const char*, std::uint64_t) { return false; }
#endif

}  // namespace azora

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void* operator new(std::size_t size) {
  ++azora::blocks;
  if (azora::has_to_fail()) throw std::bad_alloc();
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

#endif
