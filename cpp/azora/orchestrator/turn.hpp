#pragma once
// What one turn of the control thread collects, and the order in which it becomes true: views and pools first, then
// events; then answers and sends, those that depend on it when what is durable of the turn is stored (commits.hpp). So a
// reader that saw an event or an answer reads a state that contains it, and nothing is started before it can be read.
// Threads: the control thread. Ownership: borrows loop, publisher and journal, which outlive it; the services that are
// marked must live until publish(). Fails: never.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/base/counter.hpp"
#include "azora/base/loop.hpp"
#include "azora/base/result.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/board.hpp"
#include "azora/orchestrator/journal.hpp"
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/send.hpp"
#include "azora/orchestrator/service_state.hpp"
#include "azora/registry/registry.hpp"

namespace azora::orchestrator {

// One answer of a turn: at once, or (when it acknowledges a change) when that is stored. One of the two is set.
struct TurnAnswer {
  std::function<void()> at_once;
  std::function<void(const Result<void>&)> stored;
};

class Turn {
 public:
  Turn(Loop& loop, Publisher& publisher, Journal& journal) : loop_(loop), publisher_(publisher), journal_(journal) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // The loop's time, but within one batch of registrations or answers that of its beginning: reading the clocks costs
  // as much as many of the steps that ask for the time.
  Now now() const AZORA_CONTROL { return fixed_time_ ? *fixed_time_ : loop_.now(); }
  class OneTime {
   public:
    explicit OneTime(Turn& turn) : turn_(turn) { turn_.fixed_time_ = turn_.loop_.now(); }
    ~OneTime() { turn_.fixed_time_.reset(); }
    OneTime(const OneTime&) = delete;
    OneTime& operator=(const OneTime&) = delete;

   private:
    Turn& turn_;
  };
  // Events emitted meanwhile name this actor.
  class ActingFor {
   public:
    ActingFor(Turn& turn, EventActor actor) : turn_(turn) { turn_.actor_ = actor; }
    ~ActingFor() { turn_.actor_ = kSelf; }
    ActingFor(const ActingFor&) = delete;
    ActingFor& operator=(const ActingFor&) = delete;

   private:
    Turn& turn_;
  };

  // The service's view is replaced when the turn ends.
  void mark_dirty(ServiceState& service) AZORA_CONTROL;
  // Its record is compared when the turn ends, and stored where it differs. The service may be gone then.
  void mark_durable(std::uint64_t serial) AZORA_CONTROL { journal_.touch(serial); }
  bool stores() const AZORA_CONTROL { return journal_.keeps(); }
  // The same of an entry.
  void mark_entry(const std::string& name) AZORA_CONTROL { journal_.touch_entry(name, actor_); }
  const std::vector<ServiceState*>& dirty() const AZORA_CONTROL { return dirty_; }
  // No reader finds it any more once the turn ends.
  void remove_view(const std::string& id, std::uint64_t order) AZORA_CONTROL;
  // Readers find an entry with replicas by its name from the end of the turn on, or do no more.
  void show_entry(const registry::Entry& entry) AZORA_CONTROL;
  void hide_entry(const std::string& id) AZORA_CONTROL;
  // Lists differ: status or lifecycle of a service changed; `running` did; membership or a configuration did.
  void lists_changed() AZORA_CONTROL { ++board_.list_version; }
  void board_changed() AZORA_CONTROL;
  void membership_changed() AZORA_CONTROL;
  // The mass brakes that are on; one that is over by time needs not be taken back.
  void show_brakes(std::vector<healing::KillPermits::Braking> brakes) AZORA_CONTROL;

  void pool_put(const ServiceState& service) AZORA_CONTROL { publisher_.pool_put(service.serial, service.spec); }
  void pool_remove(std::uint64_t serial) AZORA_CONTROL { publisher_.pool_remove(serial); }
  // An exclusion takes effect at once, anything better with publish().
  void set_standing(const ServiceState& service, Standing standing) AZORA_CONTROL {
    publisher_.set_standing(service.serial, standing, service.machine.incarnation);
  }

  void emit(EventType type, const ServiceState& service, EventCause cause,
            std::unique_ptr<const EventDetail> detail = nullptr) AZORA_CONTROL;
  void emit(Event event) AZORA_CONTROL { publisher_.append(std::move(event)); }
  void emit(events::Check check) AZORA_CONTROL { publisher_.append_check(std::move(check)); }
  // Between the two its checks can be emitted.
  void add_name(const ServiceState& service) AZORA_CONTROL { publisher_.add_name(service.serial, service.id); }
  void drop_name(const ServiceState& service) AZORA_CONTROL { publisher_.drop_name(service.serial); }
  Event event_of(EventType type, const ServiceState& service, EventCause cause) const AZORA_CONTROL;
  // The last event so far.
  std::uint64_t head() const AZORA_CONTROL { return publisher_.head(); }

  // Runs when this turn is published.
  void answer(std::function<void()> run) AZORA_CONTROL {
    answers_.push_back({.at_once = std::move(run), .stored = {}});
  }
  // Runs when what this turn changed is stored, or could not be.
  void acknowledge(std::function<void(const Result<void>&)> run) AZORA_CONTROL {
    answers_.push_back({.at_once = {}, .stored = std::move(run)});
  }
  // Leaves after the answers.
  void send(Send send) AZORA_CONTROL { sends_.push_back(std::move(send)); }

  // The end, in two steps: what readers see; then answers and sends, which are the caller's.
  struct Summary {
    bool running = false;
    std::size_t healthy = 0;
    std::size_t unhealthy = 0;
    std::size_t alive = 0;
  };
  void publish(const Summary& summary) AZORA_CONTROL;
  std::vector<TurnAnswer> take_answers() AZORA_CONTROL { return std::exchange(answers_, {}); }
  std::vector<Send> take_sends() AZORA_CONTROL { return std::exchange(sends_, {}); }

  struct Counts {
    Counter turns;
    Counter views_built;
    Counter turn_views;  // by the last turn that built any
  };
  const Counts& counts() const { return counts_; }  // any thread may read them

 private:
  static constexpr EventActor kSelf = "orchestrator";

  Loop& loop_;
  Publisher& publisher_;
  Journal& journal_;
  std::optional<Now> fixed_time_ AZORA_OF_CONTROL;
  EventActor actor_ AZORA_OF_CONTROL = kSelf;
  void note_ended(std::uint64_t order, const ViewPtr& view) AZORA_CONTROL;
  void publish_ended() AZORA_CONTROL;

  std::vector<ServiceState*> dirty_ AZORA_OF_CONTROL;
  std::map<std::uint64_t, ViewPtr> ended_ AZORA_OF_CONTROL;  // by registration order
  bool ended_changed_ AZORA_OF_CONTROL = false;
  Board board_ AZORA_OF_CONTROL;
  bool board_changed_ AZORA_OF_CONTROL = false;
  std::vector<TurnAnswer> answers_ AZORA_OF_CONTROL;
  std::vector<Send> sends_ AZORA_OF_CONTROL;
  Counts counts_;
};

}  // namespace azora::orchestrator
