#include "azora/balancer/pool.hpp"

#include <utility>

namespace azora::balancer {
namespace {

// The places of members that left are closed up when they outnumber the members by more than this.
constexpr std::uint32_t kFewGaps = 64;

// Keys of more members than this go by an index that every join and leave keeps up to date; of fewer by a table,
// which moves fewer keys but must be built. At half of this a pool goes back to the table, so a pool that
// keeps crossing the limit moves nothing.
constexpr std::uint32_t kMostByTable = 600;

}  // namespace

Pool::Pool(std::string name, const PoolOptions& options, std::shared_ptr<PoolShared> shared)
    : name_(std::move(name)), shared_(std::move(shared)), tables_(*shared_, members_) {
  configure(options);
  publish({}, 0);
}

// --- Control thread

Instance::Membership* Pool::membership(Instance& member, const Pool* pool) {
  for (Instance::Membership& one : member.memberships_) {
    if (one.pool == pool) return &one;
  }
  return nullptr;
}

void Pool::publish(std::vector<std::shared_ptr<Chunk>> chunks, std::uint32_t size) {
  auto next = std::make_shared<const Members>(std::move(chunks), keys_);
  next->set_size(size);
  places_ = size;
  current_ = next;
  members_.publish(std::move(next));
}

// A free place at the end, in a new version when the chunks are full.
std::uint32_t Pool::make_place() {
  const auto& known = current_->chunks();
  const bool full =
      known.empty() || places_ == (known.size() - 1) * kChunkPlaces + known.back()->capacity();
  if (!full) return places_;
  std::vector<std::shared_ptr<Chunk>> chunks = known;
  if (chunks.empty()) {
    chunks.push_back(std::make_shared<Chunk>(kSmallestChunk));
  } else if (chunks.back()->capacity() == kChunkPlaces) {
    // Only the first chunk may be small: a pool that needs another chunk is large.
    chunks.push_back(std::make_shared<Chunk>(kChunkPlaces));
  } else {
    const Chunk& small = *chunks.back();
    auto larger = std::make_shared<Chunk>(small.capacity() * 2);
    for (std::uint32_t place = 0; place < small.capacity(); ++place) {
      larger->put(place, small.at(place));
      for (const Among among : kAmongs) {
        larger->mark(among, place, small.has(among, place));
      }
    }
    shared_->members_touched.fetch_add(small.capacity(), std::memory_order_relaxed);
    chunks.back() = std::move(larger);
  }
  publish(std::move(chunks), places_);
  return places_;
}

// Sets bits and counts of a place by its member's state; null: the member of that place has left.
void Pool::mark(std::uint32_t place, const Instance* member) {
  const std::uint32_t chunk = place / kChunkPlaces;
  for (const Among among : kAmongs) {
    const bool eligible = member && member->in(among);
    Chunk& here = *current_->chunks()[chunk];
    if (!here.mark(among, place % kChunkPlaces, eligible)) continue;
    current_->mark_chunk(among, chunk);
    numbers_.count_eligible(among, eligible);
  }
}

void Pool::join(const std::shared_ptr<Instance>& member) {
  const std::uint32_t place = make_place();
  current_->chunks()[place / kChunkPlaces]->put(place % kChunkPlaces, member);
  places_ = place + 1;
  current_->set_size(places_);
  *membership(*member, nullptr) = {this, place};
  numbers_.add_member(member->explicit_weight());
  mark(place, member.get());
  join_keys(*member, place);
  shared_->members_touched.fetch_add(1, std::memory_order_relaxed);
  numbers_.membership_changed();
  numbers_.changed();
}

void Pool::leave(Instance& member) {
  Instance::Membership* one = membership(member, this);
  mark(one->place, nullptr);
  const std::uint32_t place = one->place;
  *one = {};
  numbers_.remove_member(member.explicit_weight());
  leave_keys(member, place);
  shared_->members_touched.fetch_add(1, std::memory_order_relaxed);
  // A member that is gone is skipped by its own state. One that is not gone (a service that only had the name of this
  // pool) must lose its place at once: that is rare, and such pools are small.
  if (!member.gone() || places_ - size() > size() + kFewGaps) close_gaps();
  numbers_.membership_changed();
  if (!member.gone()) tables_.discard();
  numbers_.changed();
}

void Pool::replace(Instance& old, const std::shared_ptr<Instance>& next) {
  Instance::Membership* one = membership(old, this);
  const std::uint32_t place = one->place;
  *one = {};
  *membership(*next, nullptr) = {this, place};
  // Readers may be in this chunk: the change is made in a copy.
  std::vector<std::shared_ptr<Chunk>> chunks = current_->chunks();
  std::shared_ptr<Chunk>& chunk = chunks[place / kChunkPlaces];
  auto copy = std::make_shared<Chunk>(chunk->capacity());
  for (std::uint32_t i = 0; i < chunk->capacity(); ++i) {
    copy->put(i, i == place % kChunkPlaces ? next : chunk->at(i));
    for (const Among among : kAmongs) {
      copy->mark(among, i, chunk->has(among, i));
    }
  }
  shared_->members_touched.fetch_add(chunk->capacity(), std::memory_order_relaxed);
  chunk = std::move(copy);
  publish(std::move(chunks), places_);
  mark(place, next.get());
  numbers_.count_explicit_weights((next->explicit_weight() ? 1 : 0) - (old.explicit_weight() ? 1 : 0));
  numbers_.membership_changed();
  numbers_.changed();
}

void Pool::close_gaps() {
  std::vector<std::shared_ptr<Chunk>> chunks;
  std::uint32_t size = 0;
  std::uint32_t position = position_.load(std::memory_order_relaxed);
  std::uint32_t moved_position = 0;
  const std::uint32_t live = this->size();
  // Places get new numbers: the new version gets an index with these, the old version keeps the old index.
  if (keys_) keys_ = std::make_shared<KeyIndex>(keys_->room_for(live));
  for (std::uint32_t place = 0; place < places_; ++place) {
    if (place == position) moved_position = size;
    const std::shared_ptr<Instance>& member = current_->hold(place);
    Instance::Membership* one = membership(*member, this);
    if (!one || one->place != place) continue;  // this member has left
    if (size % kChunkPlaces == 0) {
      std::uint32_t capacity = kSmallestChunk;
      while (capacity < kChunkPlaces && capacity < live) capacity *= 2;
      chunks.push_back(std::make_shared<Chunk>(capacity));
    }
    Chunk& chunk = *chunks.back();
    chunk.put(size % kChunkPlaces, member);
    for (const Among among : kAmongs) {
      chunk.mark(among, size % kChunkPlaces, member->in(among));
    }
    if (keys_) keys_->insert(KeyIndex::hash_of(*member), size);
    one->place = size++;
  }
  if (position >= places_) moved_position = size;
  shared_->members_touched.fetch_add(size, std::memory_order_relaxed);
  publish(std::move(chunks), size);
  // This may overwrite the turn of a pick at this very moment: that turn is then taken twice.
  position_.store(moved_position, std::memory_order_relaxed);
}

// size() already counts the new member.
void Pool::join_keys(const Instance& member, std::uint32_t place) {
  if (keys_ && keys_->fits(size())) return keys_->insert(KeyIndex::hash_of(member), place);
  if (!keys_ && size() <= kMostByTable) return;
  keys_ = std::make_shared<KeyIndex>(size());
  for (std::uint32_t other = 0; other < places_; ++other) {
    Instance& known = *current_->at(other);
    const Instance::Membership* one = membership(known, this);
    if (one && one->place == other) keys_->insert(KeyIndex::hash_of(known), other);
  }
  shared_->tables_built.fetch_add(1, std::memory_order_relaxed);
  shared_->entries_built.fetch_add(size(), std::memory_order_relaxed);
  publish(current_->chunks(), places_);
}

void Pool::leave_keys(const Instance& member, std::uint32_t place) {
  if (!keys_) return;
  keys_->erase(KeyIndex::hash_of(member), place);
  if (size() > kMostByTable / 2) return;
  keys_ = nullptr;
  publish(current_->chunks(), places_);
}

void Pool::refresh(const Instance& member) {
  for (const Instance::Membership& one : member.memberships_) {
    if (one.pool == this) mark(one.place, &member);
  }
  shared_->flaps.fetch_add(1, std::memory_order_relaxed);
  numbers_.changed();
}

void Pool::reweigh(int explicit_change) {
  numbers_.count_explicit_weights(explicit_change);
  numbers_.weights_changed();
  numbers_.changed();
}

}  // namespace azora::balancer
