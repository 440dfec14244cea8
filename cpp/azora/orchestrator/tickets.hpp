#pragma once
// The tickets given to the store, and which of them are answered. The store answers in the order it got them.
// Threads: the control thread. Ownership: values. Fails: never.
#include <deque>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/store/store.hpp"

namespace azora::orchestrator {

class Tickets {
 public:
  store::Ticket last_given() const AZORA_CONTROL { return given_; }
  // The ticket of the commit() that the caller makes next. The store may answer it before that commit() returns.
  store::Ticket give(SteadyTime now) AZORA_CONTROL {
    given_at_.push_back(now);
    return ++given_;
  }
  // The store did not get this ticket after all, and will not answer it.
  void take_back() AZORA_CONTROL {
    given_at_.pop_back();
    --given_;
  }

  void committed(store::Ticket ticket) AZORA_CONTROL {
    committed_ = ticket;
    told(ticket);
  }
  void failed(store::Ticket ticket) AZORA_CONTROL { told(ticket); }

  bool under_way() const AZORA_CONTROL { return told_ < given_; }
  bool is_told(store::Ticket ticket) const AZORA_CONTROL { return ticket <= told_; }
  bool is_committed(store::Ticket ticket) const AZORA_CONTROL { return ticket <= committed_; }
  // The last answer of the store was good.
  bool last_was_committed() const AZORA_CONTROL { return committed_ == told_; }
  // Since when the oldest unanswered ticket waits.
  SteadyTime oldest_since() const AZORA_CONTROL { return given_at_.front(); }

 private:
  void told(store::Ticket ticket) AZORA_CONTROL {
    told_ = ticket;
    given_at_.pop_front();
  }

  store::Ticket given_ AZORA_OF_CONTROL = 0;
  store::Ticket told_ AZORA_OF_CONTROL = 0;
  store::Ticket committed_ AZORA_OF_CONTROL = 0;
  std::deque<SteadyTime> given_at_ AZORA_OF_CONTROL;  // of unanswered tickets
};

}  // namespace azora::orchestrator
