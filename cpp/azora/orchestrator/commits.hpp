#pragma once
// What waits for the store: answers to changes, and commands that must not leave before their reason is on the disk.
// docs/decisions/0015 gives the reason for each rule:
// 1. A turn's views and events are published at once. Its rows are committed, and its answers and sends wait for that
//    ticket. A turn without rows waits for the last ticket that is still under way, because the turn may depend on it.
// 2. start, stop, forget and acknowledge wait. A kill does not wait, but it never overtakes another command that waits
//    for the same service.
// 3. A start that is not wanted any more when its ticket is answered is dropped, and reported as not made.
// 4. All waiting ends when a ticket failed, could not be given or is not answered within kPatience. Then callers get an
//    error and commands leave, so that services are healed from memory; only the ends of processes stay recorded with
//    their shims. From then on trouble() says what is wrong, changes are refused, nothing waits, and unstored rows are
//    committed again every kRetry until the store takes them.
// Threads: the control thread, except where a method says otherwise. Ownership: owns the journal; borrows loop and
// store, which outlive it; keeps the callers' functions until they are answered. Fails: never.
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/held_starts.hpp"
#include "azora/orchestrator/journal.hpp"
#include "azora/orchestrator/send.hpp"
#include "azora/orchestrator/tickets.hpp"
#include "azora/orchestrator/turn.hpp"
#include "azora/store/store.hpp"

namespace azora::orchestrator {

class Commits : public store::StoreListener {
 public:
  static constexpr Millis kPatience{4'000};
  static constexpr Millis kRetry{1'000};

  struct Hooks {
    std::function<void(Send&)> deliver;
    std::function<bool(const Send&)> wanted;       // is this start still wanted?
    std::function<void(const Send&)> dropped;      // it is not wanted, and is not made
    std::function<void(const Send&)> held;         // this start waits from now on
    std::function<void(const Send&)> late;         // this start is made after it had to wait
    std::function<void(const Error*)> trouble;     // trouble begins; null: it is over
  };
  Commits(Loop& loop, store::Store& store, Journal::Sources sources, Hooks hooks);
  ~Commits() override;
  Commits(const Commits&) = delete;
  Commits& operator=(const Commits&) = delete;

  // Turns mark here what they changed.
  Journal& journal() AZORA_CONTROL { return journal_; }
  const Journal& journal() const AZORA_CONTROL { return journal_; }

  // The turn is published: commits its rows, then gives all answers and sends that need not wait any more.
  void end_turn(std::vector<TurnAnswer> answers, std::vector<Send> sends) AZORA_CONTROL;
  // The error with which changes are refused; null: changes are taken.
  const Error* trouble() const AZORA_CONTROL { return trouble_ ? &*trouble_ : nullptr; }
  // The program ends: waiting callers get this error, now and from now on; no waiting command is sent.
  void abandon(Error error) AZORA_CONTROL;

  // Since when the start of this service waits for the store; nullopt: it does not wait. Any thread.
  std::optional<SteadyTime> start_waits_since(std::uint64_t serial) const { return held_starts_.since(serial); }

  std::size_t waiting() const AZORA_CONTROL { return waiting_.size(); }  // turns
  struct Counts {
    std::uint64_t committed = 0;  // tickets
    std::uint64_t failed = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Waiting {
    store::Ticket ticket = 0;
    std::vector<TurnAnswer> answers;
    std::vector<Send> sends;
  };

  void on_committed(store::Ticket ticket) override;
  void on_failed(store::Ticket ticket, const store::Failure& failure) override;
  void commit() AZORA_CONTROL;
  void try_to_commit() noexcept AZORA_CONTROL;
  void begin_trouble(Error error) AZORA_CONTROL;
  void end_trouble_when_stored() AZORA_CONTROL;
  void release() AZORA_CONTROL;
  void send_waited(std::vector<Send>& sends) AZORA_CONTROL;
  void hold(std::vector<TurnAnswer> answers, std::vector<Send> sends) AZORA_CONTROL;
  void run(const std::vector<TurnAnswer>& answers, const Result<void>& outcome) AZORA_CONTROL;
  void send(Send& send) AZORA_CONTROL;
  void watch() AZORA_CONTROL;

  Loop& loop_;
  store::Store& store_;
  Journal journal_;
  Hooks hooks_;
  Tickets tickets_;
  std::deque<Waiting> waiting_ AZORA_OF_CONTROL;        // by ticket
  std::vector<Run> dropped_ AZORA_OF_CONTROL;           // starts that were not made, while turns wait
  std::vector<Send> unacknowledged_ AZORA_OF_CONTROL;   // ends of processes, not stored because of the trouble
  std::optional<Error> trouble_ AZORA_OF_CONTROL;
  std::optional<Error> abandoned_ AZORA_OF_CONTROL;
  TimerId timer_ AZORA_OF_CONTROL = 0;                  // for kPatience, or for the next retry
  bool retry_ AZORA_OF_CONTROL = false;
  Counts counts_;
  HeldStarts held_starts_;
};

}  // namespace azora::orchestrator
