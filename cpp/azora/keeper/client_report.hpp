#pragma once
// One callback of KeeperListener, on its way from az-keeper to the control thread.
#include <cstdint>
#include <memory>
#include <string>

#include "azora/keeper/keeper.hpp"

namespace azora::keeper {

struct Report {
  enum class Kind : std::uint8_t {
    started, start_failed, exited, swept, lost, log_dropped, link_down, link_up, adopted, unknown, warning
  };
  Kind kind{};
  Serial serial = 0;
  std::uint64_t incarnation = 0;
  int pid = 0;                           // started
  Now at;                                // started
  Exit exit;                             // exited
  std::uint64_t lines = 0;               // log_dropped
  LogLoss loss;                          // the same
  std::string reason;                    // start_failed, lost, link_down, warning
  std::unique_ptr<const Record> record;  // adopted, unknown
};

}  // namespace azora::keeper
