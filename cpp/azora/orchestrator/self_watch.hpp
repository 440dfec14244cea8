#pragma once
// Turns what the control thread notices about itself into troubles of Self, with some patience: a keeper that is
// replaced within a second is no trouble, and lateness is over when there was none for ten seconds.
// Threads: the control thread. Ownership: borrows loop and self, which outlive it. Fails: never.
#include <cstdint>
#include <functional>
#include <string>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/self.hpp"

namespace azora::orchestrator {

class SelfWatch {
 public:
  // `link_changed` is called when the link counts as lost, and when it is back after that.
  SelfWatch(Loop& loop, Self& self, std::function<void(bool up)> link_changed)
      : loop_(loop), self_(self), link_changed_(std::move(link_changed)) {}
  ~SelfWatch();
  SelfWatch(const SelfWatch&) = delete;
  SelfWatch& operator=(const SelfWatch&) = delete;

  // The link to the keeper went down or came up; down again with a newer reason while it is down.
  void on_link(bool up, std::string reason);
  // So often in all was our own loop late by more than a second.
  void on_stalls(std::uint64_t count);

 private:
  Loop& loop_;
  Self& self_;
  std::function<void(bool)> link_changed_;
  bool link_lost_ AZORA_OF_CONTROL = false;  // counts as lost
  std::string link_reason_ AZORA_OF_CONTROL;
  TimerId link_timer_ AZORA_OF_CONTROL = 0;
  std::uint64_t stalls_ AZORA_OF_CONTROL = 0;
  TimerId stall_timer_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
