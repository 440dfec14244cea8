#pragma once
// Turns what the control thread notices about itself into troubles of Self. A link that is lost is told at once, and told
// to have recovered when it has been up for a second without interruption, so that a keeper that is lost again and again
// is one trouble, and a reader that asks every second sees it. What only the keeper can tell counts as unknown when the
// link is not back within a second: a keeper that is replaced at once takes no service out of rotation. Lateness is over
// when there was none for ten seconds.
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
  // `link_changed` is called when what only the keeper can tell is unknown from now on, and when it is known again.
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
  void on_link_down(std::string reason) AZORA_CONTROL;
  void on_link_up() AZORA_CONTROL;

  enum class Link : std::uint8_t { up, down, settling };  // settling: up, and not yet told to have recovered

  Loop& loop_;
  Self& self_;
  std::function<void(bool)> link_changed_;
  Link link_ AZORA_OF_CONTROL = Link::up;
  bool blind_ AZORA_OF_CONTROL = false;  // link_changed(false) was called last
  std::string link_reason_ AZORA_OF_CONTROL;
  TimerId link_timer_ AZORA_OF_CONTROL = 0;  // while down: when we are blind; while settling: when it has recovered
  std::uint64_t stalls_ AZORA_OF_CONTROL = 0;
  TimerId stall_timer_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
