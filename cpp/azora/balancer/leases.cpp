#include "azora/balancer/leases.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "azora/base/check.hpp"

namespace azora::balancer {
namespace {

constexpr std::size_t kIdDigits = 32;

void kernel_random(std::span<std::uint8_t> bytes) {
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::getrandom(bytes.data() + have, bytes.size() - have, 0);
    if (got > 0) {
      have += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      AZORA_ASSERT(false && "getrandom failed");
      return;
    }
  }
}

void append_hex(std::string& out, std::uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(value >> shift) & 15U];
}

bool parse_hex(std::string_view text, std::uint64_t& value) {
  value = 0;
  for (const char c : text) {
    std::uint64_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<std::uint64_t>(c - 'a') + 10;
    } else {
      return false;
    }
    value = value << 4 | digit;
  }
  return true;
}

}  // namespace

Leases::Leases(RandomBytes random, std::size_t most)
    : random_(random ? std::move(random) : kernel_random), most_(most) {}

std::optional<Leases::Id> Leases::parse(std::string_view text) {
  Id id{};
  if (text.size() != kIdDigits || !parse_hex(text.substr(0, 16), id.high) ||
      !parse_hex(text.substr(16), id.low)) {
    return std::nullopt;
  }
  return id;
}

std::string Leases::text_of(const Id& id) {
  std::string text;
  text.reserve(kIdDigits);
  append_hex(text, id.high);
  append_hex(text, id.low);
  return text;
}

// Random bytes are fetched for 32 ids at a time.
Leases::Id Leases::new_id(Shard& shard) {
  if (shard.random_used + sizeof(Id) > shard.random.size()) {
    random_(shard.random);
    shard.random_used = 0;
  }
  Id id{};
  std::memcpy(&id, shard.random.data() + shard.random_used, sizeof id);
  shard.random_used += sizeof id;
  return id;
}

// The counters are exact once no call is under way.
bool Leases::has_room(SteadyTime now) {
  const auto held = [this] { return taken() - released() - expired(); };
  if (held() < most_) return true;
  expire(now);
  return held() < most_;
}

Result<Lease> Leases::take(const std::shared_ptr<const Instance>& instance, Millis ttl, SteadyTime now) {
  if (!has_room(now)) {
    return Error{ErrorCode::limit_reached,
                 std::to_string(most_) + " leases are held, which is the limit; release those that are not needed, or "
                 "give the pools a shorter leaseTtl",
                 {}};
  }
  const std::size_t index = next_shard_.fetch_add(1, std::memory_order_relaxed) % kShards;
  Shard& shard = shards_[index];
  const SteadyTime until = now + ttl;
  Id id{};
  {
    MutexLock lock(shard.mutex);
    expire(shard, now);
    do {
      id = new_id(shard);
      id.high = id.high / kShards * kShards + index;  // its shard is found again by its id
    } while (shard.records.contains(id));
    const auto bucket = shard.due.try_emplace(tick_of(until)).first;
    const auto place = bucket->second.insert(bucket->second.end(), id);
    shard.records.emplace(id, Record{instance, instance->take_lease(), until, bucket, place});
  }
  taken_.fetch_add(1, std::memory_order_relaxed);
  return Lease{text_of(id), ttl};
}

bool Leases::release(std::string_view text, SteadyTime now) {
  const std::optional<Id> id = parse(text);
  if (!id) return false;
  Shard& shard = shard_of(*id);
  MutexLock lock(shard.mutex);
  expire(shard, now);
  const auto found = shard.records.find(*id);
  if (found == shard.records.end()) return false;
  const Record record = std::move(found->second);
  shard.records.erase(found);
  record.bucket->second.erase(record.place);
  if (record.bucket->second.empty()) shard.due.erase(record.bucket);
  const bool live = record.instance->end_lease(record.life) && record.until > now;
  (live ? released_ : expired_).fetch_add(1, std::memory_order_relaxed);
  return live;
}

void Leases::expire(Shard& shard, SteadyTime now) {
  const std::int64_t tick = tick_of(now);
  while (!shard.due.empty() && shard.due.begin()->first < tick) {
    for (const Id& id : shard.due.begin()->second) {
      const auto found = shard.records.find(id);
      found->second.instance->end_lease(found->second.life);
      shard.records.erase(found);
      expired_.fetch_add(1, std::memory_order_relaxed);
    }
    shard.due.erase(shard.due.begin());
  }
}

void Leases::expire(SteadyTime now) {
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    expire(shard, now);
  }
}

std::size_t Leases::size() const {
  std::size_t sum = 0;
  for (Shard& shard : shards_) {
    MutexLock lock(shard.mutex);
    sum += shard.records.size();
  }
  return sum;
}

}  // namespace azora::balancer
