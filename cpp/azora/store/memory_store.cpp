#include "azora/store/memory_store.hpp"

#include <utility>

namespace azora::store {

Result<std::vector<Row>> MemoryStore::load() {
  std::vector<Row> rows;
  rows.reserve(rows_.size());
  for (const auto& [key, bytes] : rows_) rows.push_back({key, bytes});
  return rows;
}

Ticket MemoryStore::commit(Batch batch) {
  if (keeps_rows()) {
    for (Row& row : batch.rows) rows_.insert_or_assign(std::move(row.key), std::move(row.bytes));
    for (const Key& key : batch.removed) rows_.erase(key);
  }
  const Ticket ticket = ++last_;
  if (listener_ != nullptr) listener_->on_committed(ticket);
  return ticket;
}

}  // namespace azora::store
