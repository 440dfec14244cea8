#pragma once
// A store whose rows live as long as this object: commit() has committed when it returns. For fleets without a state
// directory, and for tests.
// Threads: the control thread. Ownership: its rows. Fails: never.
#include <map>

#include "azora/store/store.hpp"

namespace azora::store {

class MemoryStore : public Store {
 public:
  // `nothing`: keeps no rows, because only the writing program could read them, and it has everything in its own state.
  enum class Keep : std::uint8_t { rows, nothing };
  explicit MemoryStore(Keep keep = Keep::rows) : keep_(keep) {}

  void set_listener(StoreListener* listener) override { listener_ = listener; }
  Result<std::vector<Row>> load() override;
  Ticket commit(Batch batch) override;
  bool keeps_rows() const override { return keep_ == Keep::rows; }

 private:
  const Keep keep_;
  StoreListener* listener_ = nullptr;
  std::map<Key, std::string> rows_;
  Ticket last_ = 0;
};

}  // namespace azora::store
