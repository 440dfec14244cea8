#pragma once
// The Python object `_core.Cursor`: one reader of the event log.
// Threads: drain(), deliver() and wait() one at a time. Ownership: holds the log, so it outlives the core.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azora/events/log.hpp"
#include "bindings.hpp"

namespace azora::bindings {

class CursorHandle {
 public:
  explicit CursorHandle(std::shared_ptr<events::Cursor> cursor) : cursor_(std::move(cursor)) {}
  ~CursorHandle();
  CursorHandle(const CursorHandle&) = delete;
  CursorHandle& operator=(const CursorHandle&) = delete;

  events::Cursor& get() const {
    process_.check();
    return *cursor_;
  }

  // The events that deliver() took from the log; those from `next` on are not handed over yet. Under the GIL.
  struct Taken {
    std::vector<events::EventPtr> events;
    std::size_t next = 0;
  };
  Taken taken;

 private:
  std::shared_ptr<events::Cursor> cursor_;
  OwningProcess process_;
};

// Throws invalid_argument for an unknown type.
events::Filter make_filter(const std::optional<std::vector<std::string>>& types,
                           const std::optional<std::string>& service);

}  // namespace azora::bindings
