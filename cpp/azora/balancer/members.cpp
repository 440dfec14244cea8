#include "azora/balancer/members.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace azora::balancer {
namespace {

std::uint32_t words_for(std::size_t bits) { return static_cast<std::uint32_t>((bits + 63) / 64); }

void write_bit(std::atomic<std::uint64_t>& word, std::uint32_t bit, bool value) {
  const std::uint64_t mask = std::uint64_t{1} << bit;
  const std::uint64_t old = word.load(std::memory_order_relaxed);
  // One writer: no read-modify-write needed.
  word.store(value ? old | mask : old & ~mask, std::memory_order_release);
}

}  // namespace

Chunk::Chunk(std::uint32_t capacity)
    : capacity_(capacity), places_(std::make_unique<std::shared_ptr<Instance>[]>(capacity)) {}

bool Chunk::mark(Among among, std::uint32_t place, bool eligible) {
  if (has(among, place) == eligible) return false;
  const auto kind = static_cast<std::size_t>(among);
  write_bit(bits_[kind][place / 64], place % 64, eligible);
  const std::uint32_t count = counts_[kind].load(std::memory_order_relaxed);
  counts_[kind].store(eligible ? count + 1 : count - 1, std::memory_order_relaxed);
  return true;
}

Members::Members(std::vector<std::shared_ptr<Chunk>> chunks, std::shared_ptr<const KeyIndex> keys)
    : chunks_(std::move(chunks)), keys_(std::move(keys)) {
  rows_.reserve(chunks_.size());
  for (const std::shared_ptr<Chunk>& chunk : chunks_) rows_.push_back(chunk->row());
  for (std::size_t kind = 0; kind < kAmongCount; ++kind) {
    any_[kind] = std::make_unique<std::atomic<std::uint64_t>[]>(words_for(chunks_.size()));
    for (std::uint32_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      mark_chunk(static_cast<Among>(kind), chunk);
    }
  }
}

void Members::mark_chunk(Among among, std::uint32_t chunk) const {
  write_bit(any_[static_cast<std::size_t>(among)][chunk / 64], chunk % 64,
            chunks_[chunk]->count(among) != 0);
}

std::uint32_t Members::next(Among among, std::uint32_t from) const {
  const std::uint32_t end = size();
  if (from >= end) from = 0;
  const std::uint32_t found = find(among, from, end);
  return found != kNoPlace ? found : find(among, 0, from);
}

std::uint32_t Members::next_chunk(Among among, std::uint32_t from) const {
  const auto& any = any_[static_cast<std::size_t>(among)];
  const std::uint32_t words = words_for(chunks_.size());
  std::uint64_t mask = ~std::uint64_t{0} << (from % 64);
  for (std::uint32_t index = from / 64; index < words; ++index, mask = ~std::uint64_t{0}) {
    const std::uint64_t word = any[index].load(std::memory_order_acquire) & mask;
    if (word != 0) return index * 64 + static_cast<std::uint32_t>(std::countr_zero(word));
  }
  return kNoPlace;
}

std::uint32_t Members::find(Among among, std::uint32_t from, std::uint32_t end) const {
  std::uint32_t chunk = from / kChunkPlaces;
  std::uint32_t start = from % kChunkPlaces;
  while (chunk < chunks_.size()) {
    const Chunk& here = *chunks_[chunk];
    std::uint64_t mask = ~std::uint64_t{0} << (start % 64);
    for (std::uint32_t index = start / 64; index < here.words(); ++index, mask = ~std::uint64_t{0}) {
      const std::uint64_t word = here.word(among, index) & mask;
      if (word == 0) continue;
      const std::uint32_t place =
          chunk * kChunkPlaces + index * 64 + static_cast<std::uint32_t>(std::countr_zero(word));
      return place < end ? place : kNoPlace;
    }
    if (chunk + 1 >= chunks_.size()) break;
    chunk = next_chunk(among, chunk + 1);
    if (chunk == kNoPlace) break;
    start = 0;
  }
  return kNoPlace;
}

std::uint32_t Members::nth(Among among, std::uint32_t n) const {
  for (std::uint32_t chunk = 0; chunk < chunks_.size(); ++chunk) {
    const Chunk& here = *chunks_[chunk];
    const std::uint32_t count = here.count(among);
    if (n >= count) {
      n -= count;
      continue;
    }
    for (std::uint32_t index = 0; index < here.words(); ++index) {
      std::uint64_t word = here.word(among, index);
      const auto some = static_cast<std::uint32_t>(std::popcount(word));
      if (n >= some) {
        n -= some;
        continue;
      }
      for (; n > 0; --n) word &= word - 1;
      const std::uint32_t place =
          chunk * kChunkPlaces + index * 64 + static_cast<std::uint32_t>(std::countr_zero(word));
      return place < size() ? place : kNoPlace;
    }
  }
  return kNoPlace;
}

}  // namespace azora::balancer
