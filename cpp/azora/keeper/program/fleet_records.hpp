#pragma once
// The services that the keeper knows (shim_table.hpp), and a note of which newest records are still to be sent to the
// orchestrator. Nothing queues up: a record that changes again before it was sent is sent once, as it is then.
// Threads: the program has one. Fails: ok() false when there is no memory for the table.
#include "azora/keeper/program/shim_table.hpp"

namespace azora::keeper {

class FleetRecords {
 public:
  bool ok() const { return table_.ok(); }
  ShimTable& table() { return table_; }

  // Notes that its record is to be sent to the orchestrator.
  void changed(ShimEntry& entry) {
    if (!entry.unsent) ++unsent_;
    entry.unsent = true;
  }
  void sent(ShimEntry& entry) {
    if (entry.unsent) --unsent_;
    entry.unsent = false;
  }
  void all_changed() {
    table_.for_each([this](ShimEntry& entry) { changed(entry); });
  }
  bool has_unsent() const { return unsent_ > 0; }
  void remove(ShimEntry& entry) {
    sent(entry);
    table_.remove(entry);
  }
  // Some shim has died with processes below it that may still live.
  bool has_lost() {
    return table_.first([](const ShimEntry& entry) { return entry.sweeping; }) != nullptr;
  }

 private:
  ShimTable table_;
  int unsent_ = 0;
};

}  // namespace azora::keeper
