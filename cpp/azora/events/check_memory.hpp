#pragma once
// The last health checks, in a ring of fixed size, and the names of services and reasons of failures that they refer
// to. A passed check allocates no memory.
// Threads: one at a time (the log's lock). Ownership: owns records; names and reasons are shared with readers.
// Fails: never.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "azora/base/serial_map.hpp"
#include "azora/events/check_record.hpp"
#include "azora/events/string_table.hpp"

namespace azora::events {

class CheckMemory {
 public:
  using Name = std::shared_ptr<const std::string>;

  // Keeps the last `limit` checks, at least one and at most 65,535.
  explicit CheckMemory(std::size_t limit);

  // Checks up to this number were in a former log and are lost.
  void begin_after(std::uint64_t seq) { evicted_through_ = seq; }
  // Checks of this service may come from now on.
  void add_name(std::uint64_t serial, Name id) { names_[serial] = std::move(id); }
  // No more checks of it come after event number `last_seq`; its name is dropped with its last check.
  void drop_name(std::uint64_t serial, std::uint64_t last_seq);
  // Appends a check; the oldest one is dropped if there is no room.
  void keep(CheckRecord record, std::string reason);

  // In order, oldest first.
  std::size_t size() const { return size_; }
  const CheckRecord& operator[](std::size_t index) const { return ring_[at(index)]; }
  // Index of the oldest check after this number; size() if there is none.
  std::size_t first_after(std::uint64_t seq) const;
  // Null when the service was never given a name.
  Name name_of(const CheckRecord& record) const;
  // Checks of this service, or of the instances of this entry.
  bool is_of(const CheckRecord& record, const std::string& service) const;
  // Null for none.
  const Name& reason_of(const CheckRecord& record) const { return reasons_.get(record.reason()); }

  std::uint64_t evicted_through() const { return evicted_through_; }  // number of the newest dropped check
  std::uint64_t evicted() const { return evicted_; }
  std::size_t names() const { return names_.size(); }
  std::size_t reasons() const { return reasons_.size(); }

 private:
  struct Dropped {
    std::uint64_t serial;
    std::uint64_t last_seq;
  };
  std::size_t at(std::size_t index) const {
    const std::size_t place = first_ + index;
    return place < limit_ ? place : place - limit_;
  }
  void evict();
  void forget_names();

  std::size_t limit_;
  std::unique_ptr<CheckRecord[]> ring_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::uint64_t evicted_through_ = 0;
  std::uint64_t evicted_ = 0;
  SerialMap<Name> names_;
  std::deque<Dropped> dropped_;  // in the order of their last numbers
  StringTable reasons_;
};

}  // namespace azora::events
