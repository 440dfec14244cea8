#pragma once
// The places of a pool's members, in the order they joined, and beside them one bit per place and
// kind of eligibility. A member keeps its place until it leaves; the place is not given to another,
// so that no neighbour's turn moves (now and then the pool closes the gaps at once).
//   Chunk    up to 512 places and their bits; bits are patched in place, shared by all versions
//   Members  one version: the chunks, how many places are taken, which chunks have any eligible, and the key
//            index of a large pool, whose places are this version's
// Threads: written by the control thread (see pool.cpp); read by any, without locks. A reader of an older version may
// miss a later change but never chooses a wrong member: it asks Instance::in() of what it finds. Before it says that
// there is none, it looks whether something changed meanwhile.
// Ownership: versions share chunks; chunks hold the instances.
// Fails: never. Cost: next() and pick_nth() skip 64 places per word and 512 per chunk.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "azora/balancer/instance.hpp"

namespace azora::balancer {

inline constexpr std::uint32_t kChunkPlaces = 512;
inline constexpr std::uint32_t kSmallestChunk = 8;  // most groups have a few replicas
inline constexpr std::uint32_t kNoPlace = UINT32_MAX;

class Chunk {
 public:
  explicit Chunk(std::uint32_t capacity);

  std::uint32_t capacity() const { return capacity_; }
  const std::shared_ptr<Instance>& at(std::uint32_t place) const { return places_[place]; }
  const std::shared_ptr<Instance>* row() const { return places_.get(); }
  bool has(Among among, std::uint32_t place) const {
    return (word(among, place / 64) >> (place % 64)) & 1U;
  }
  std::uint64_t word(Among among, std::uint32_t index) const {
    return bits_[static_cast<std::size_t>(among)][index].load(std::memory_order_acquire);
  }
  std::uint32_t words() const { return (capacity_ + 63) / 64; }
  std::uint32_t count(Among among) const {
    return counts_[static_cast<std::size_t>(among)].load(std::memory_order_relaxed);
  }

  // Control thread. put(): the place was never taken in any published version.
  void put(std::uint32_t place, std::shared_ptr<Instance> member) {
    places_[place] = std::move(member);
  }
  // False when the bit had this value already.
  bool mark(Among among, std::uint32_t place, bool eligible);

 private:
  static constexpr std::uint32_t kWords = kChunkPlaces / 64;

  std::uint32_t capacity_;
  std::unique_ptr<std::shared_ptr<Instance>[]> places_;
  std::array<std::array<std::atomic<std::uint64_t>, kWords>, kAmongCount> bits_{};
  std::array<std::atomic<std::uint32_t>, kAmongCount> counts_{};
};

class KeyIndex;

class Members {
 public:
  explicit Members(std::vector<std::shared_ptr<Chunk>> chunks, std::shared_ptr<const KeyIndex> keys = nullptr);

  // Places taken so far, those of members that left included.
  std::uint32_t size() const { return size_.load(std::memory_order_acquire); }
  Instance* at(std::uint32_t place) const { return hold(place).get(); }
  const std::shared_ptr<Instance>& hold(std::uint32_t place) const {
    return rows_[place / kChunkPlaces][place % kChunkPlaces];
  }

  // Null when the pool is small: a HashTable then maps its keys.
  const KeyIndex* keys() const { return keys_.get(); }
  // The places of the first chunk, which always exists.
  const std::shared_ptr<Instance>* first_row() const { return rows_.front(); }

  // The first eligible place at or after `from`, then from the beginning up to it; kNoPlace: none.
  std::uint32_t next(Among among, std::uint32_t from) const;
  // The n-th eligible place; kNoPlace when there are not so many.
  std::uint32_t nth(Among among, std::uint32_t n) const;

  // Control thread.
  const std::vector<std::shared_ptr<Chunk>>& chunks() const { return chunks_; }
  void set_size(std::uint32_t size) const { size_.store(size, std::memory_order_release); }
  void mark_chunk(Among among, std::uint32_t chunk) const;

 private:
  std::uint32_t find(Among among, std::uint32_t from, std::uint32_t end) const;
  std::uint32_t next_chunk(Among among, std::uint32_t from) const;

  const std::vector<std::shared_ptr<Chunk>> chunks_;
  const std::shared_ptr<const KeyIndex> keys_;
  std::vector<const std::shared_ptr<Instance>*> rows_;  // the places of each chunk
  mutable std::atomic<std::uint32_t> size_{0};
  // Bit per chunk: has it any eligible member? Patched in place like the bits below it.
  std::array<std::unique_ptr<std::atomic<std::uint64_t>[]>, kAmongCount> any_;
};

}  // namespace azora::balancer
