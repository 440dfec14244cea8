#pragma once
// What the keeper asks of a shim. A launch while something of the former incarnation lives is refused; what is about a
// former incarnation does nothing.
// Threads: the program has one. Fails: what cannot be done is refused.
#include "azora/keeper/program/incarnation.hpp"
#include "azora/keeper/program/service_output.hpp"
#include "azora/keeper/program/shim_end.hpp"
#include "azora/keeper/program/shim_link.hpp"
#include "azora/keeper/protocol.hpp"

namespace azora::keeper {

class ShimCommands {
 public:
  ShimCommands(KeeperLink& keeper, ServiceOutput& output, Incarnation& incarnation, ShimEnd& end)
      : keeper_(keeper), output_(output), incarnation_(incarnation), end_(end) {}

  // Carries out what has come.
  void read();
  // The service ends, and then the shim: by GOODBYE or FORGET, or for a reason of its own. Launches are refused.
  void end();

 private:
  void on_frame(const Header& header, long size);
  void on_launch(const Header& header, long size);
  void on_ref(const Header& header, const ServiceRef& ref);
  void on_stop(const ServiceRef& ref, const StopOrder& order);
  void on_move(const Text& folder);

  KeeperLink& keeper_;
  ServiceOutput& output_;
  Incarnation& incarnation_;
  ShimEnd& end_;
};

}  // namespace azora::keeper
