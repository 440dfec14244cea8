#include "azora/events/check_memory.hpp"

#include <algorithm>
#include <utility>

#include "azora/model/service_name.hpp"

namespace azora::events {

// Memory is not touched before it is used.
CheckMemory::CheckMemory(std::size_t limit)
    : limit_(std::clamp<std::size_t>(limit, 1, StringTable::kLimit)),
      ring_(std::make_unique_for_overwrite<CheckRecord[]>(limit_)) {}

void CheckMemory::drop_name(std::uint64_t serial, std::uint64_t last_seq) {
  dropped_.push_back({serial, last_seq});
  forget_names();
}

void CheckMemory::keep(CheckRecord record, std::string reason) {
  if (size_ == limit_) evict();
  record.set_reason(reasons_.add(std::move(reason)));
  ring_[at(size_)] = record;
  ++size_;
}

void CheckMemory::evict() {
  const CheckRecord& oldest = ring_[first_];
  reasons_.release(oldest.reason());
  evicted_through_ = oldest.seq();
  ++evicted_;
  first_ = at(1);
  --size_;
  forget_names();
}

void CheckMemory::forget_names() {
  while (!dropped_.empty() && (size_ == 0 || ring_[first_].seq() > dropped_.front().last_seq)) {
    names_.erase(dropped_.front().serial);
    dropped_.pop_front();
  }
}

std::size_t CheckMemory::first_after(std::uint64_t seq) const {
  std::size_t from = 0;
  std::size_t to = size_;
  while (from < to) {
    const std::size_t middle = from + (to - from) / 2;
    if ((*this)[middle].seq() <= seq) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  return from;
}

CheckMemory::Name CheckMemory::name_of(const CheckRecord& record) const {
  const Name* known = names_.find(record.serial());
  return known == nullptr ? nullptr : *known;
}

bool CheckMemory::is_of(const CheckRecord& record, const std::string& service) const {
  const Name* known = names_.find(record.serial());
  return known != nullptr && names_service(service, **known);
}

}  // namespace azora::events
