#pragma once
// A shim: parent and subreaper of one service, for all its incarnations. Holds the service's output, its
// exit record and the proof that nothing of it is left; outlives keeper and orchestrator.
// One poll loop; no call in it waits, except for the disk that its log files are on. Its parts: the keeper
// (shim_link.hpp) and what it asks (shim_commands.hpp), the service's current incarnation (incarnation.hpp) and its
// output (service_output.hpp), and how the shim itself ends (shim_end.hpp).
// Everything said to the keeper is the whole record, so a peer that was away only asks again.
#include <cstdint>

#include "azora/keeper/program/incarnation.hpp"
#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/service_output.hpp"
#include "azora/keeper/program/shim_commands.hpp"
#include "azora/keeper/program/shim_end.hpp"
#include "azora/keeper/program/shim_link.hpp"

namespace azora::keeper {

class Shim {
 public:
  explicit Shim(const ShimArguments& arguments);
  // Returns when its work has ended for good.
  int run();

 private:
  bool is_over() const { return end_.has_begun() && !incarnation_.has_process(); }
  void turn();
  void on_signals();
  void do_what_is_due();
  std::int64_t wait_ms() const;
  void leave();

  const int signals_;
  ServiceOutput output_;
  KeeperLink keeper_;
  Incarnation incarnation_;
  ShimEnd end_;
  ShimCommands commands_;
};

}  // namespace azora::keeper
