#pragma once
// Turns problems that the control thread notices about itself into troubles of Self. A lost link is reported at once.
// It is reported as recovered when it has been up for a second without interruption. So a keeper that is lost again and
// again is one trouble, and a reader that asks every second sees it. Facts that only the keeper knows count as unknown
// if the link is not back within a second, so a keeper that is replaced at once takes no service out of rotation.
// Lateness ends when there was none for ten seconds.
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
  // Calls `link_changed` when facts that only the keeper knows become unknown, and when they are known again.
  SelfWatch(Loop& loop, Self& self, std::function<void(bool up)> link_changed)
      : loop_(loop), self_(self), link_changed_(std::move(link_changed)) {}
  ~SelfWatch();
  SelfWatch(const SelfWatch&) = delete;
  SelfWatch& operator=(const SelfWatch&) = delete;

  // The link to the keeper went down or came up. While it is down, a second report of "down" brings a newer reason.
  void on_link(bool up, std::string reason);
  // `count`: how often in all our own loop was late by more than a second.
  void on_stalls(std::uint64_t count);

 private:
  void on_link_down(std::string reason) AZORA_CONTROL;
  void on_link_up() AZORA_CONTROL;

  enum class Link : std::uint8_t { up, down, settling };  // settling: up, but not yet reported as recovered

  Loop& loop_;
  Self& self_;
  std::function<void(bool)> link_changed_;
  Link link_ AZORA_OF_CONTROL = Link::up;
  bool blind_ AZORA_OF_CONTROL = false;  // link_changed(false) was called last
  std::string link_reason_ AZORA_OF_CONTROL;
  TimerId link_timer_ AZORA_OF_CONTROL = 0;  // down: until blind_; settling: until it counts as recovered
  std::uint64_t stalls_ AZORA_OF_CONTROL = 0;
  TimerId stall_timer_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
