#pragma once
// Collects what one turn of the control thread changes, and makes it visible in order: views and pools first, then
// events, then answers and sends. Answers and sends that depend on stored data wait until the turn's changes are stored
// (commits.hpp). So a reader that saw an event or an answer reads a state that contains it, and nothing is started
// before readers can see it.
// Threads: the control thread. Ownership: borrows loop, publisher and journal, which outlive it; marked services must
// live until publish(). Fails: never.
#include <cstdint>
#include <functional>
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
#include "azora/orchestrator/listed.hpp"
#include "azora/orchestrator/publisher.hpp"
#include "azora/orchestrator/send.hpp"
#include "azora/orchestrator/service_state.hpp"
#include "azora/registry/registry.hpp"

namespace azora::orchestrator {

// One answer of a turn: given at once or, if it acknowledges a change, when that is stored. One of the two is set.
struct TurnAnswer {
  std::function<void()> at_once;
  std::function<void(const Result<void>&)> stored;
};

class Turn {
 public:
  Turn(Loop& loop, Publisher& publisher, Journal& journal) : loop_(loop), publisher_(publisher), journal_(journal) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  // The loop's time. Within one batch of registrations or answers it is the time when the batch began, because reading
  // the clocks costs as much as many of the steps that need the time.
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
  // Events emitted while this lives name this actor.
  class ActingFor {
   public:
    ActingFor(Turn& turn, EventActor actor) : turn_(turn) { turn_.actor_ = actor; }
    ~ActingFor() { turn_.actor_ = kSelf; }
    ActingFor(const ActingFor&) = delete;
    ActingFor& operator=(const ActingFor&) = delete;

   private:
    Turn& turn_;
  };

  // The turn's end replaces the view of this service.
  void mark_dirty(ServiceState& service) AZORA_CONTROL;
  // The turn's end stores the record of this service if it differs from the stored one. The service may be gone then.
  void mark_durable(std::uint64_t serial) AZORA_CONTROL { journal_.touch(serial); }
  bool stores() const AZORA_CONTROL { return journal_.keeps(); }
  // The same for an entry.
  void mark_entry(const std::string& name) AZORA_CONTROL { journal_.touch_entry(name, actor_); }
  const std::vector<ServiceState*>& dirty() const AZORA_CONTROL { return dirty_; }
  // From the end of the turn no reader finds this service any more.
  void remove_view(const std::string& id, std::uint64_t order) AZORA_CONTROL;
  // From the end of the turn readers find (or do not find any more) an entry with replicas by its name.
  void show_entry(const registry::Entry& entry) AZORA_CONTROL;
  void hide_entry(const std::string& id) AZORA_CONTROL;
  // A list differs now: a service's status or lifecycle, `running`, the membership or a configuration has changed.
  void lists_changed() AZORA_CONTROL { ++board_.list_version; }
  void board_changed() AZORA_CONTROL;
  void membership_changed() AZORA_CONTROL;
  // The mass brakes that hold. A brake that ends by time needs no call.
  void show_brakes(std::vector<healing::KillPermits::Braking> brakes) AZORA_CONTROL;

  void pool_put(const ServiceState& service) AZORA_CONTROL { publisher_.pool_put(service.serial, service.spec); }
  void pool_remove(std::uint64_t serial) AZORA_CONTROL { publisher_.pool_remove(serial); }
  // An exclusion takes effect at once; an improvement takes effect with publish().
  void set_standing(const ServiceState& service, Standing standing) AZORA_CONTROL {
    publisher_.set_standing(service.serial, standing, service.machine.incarnation);
  }

  // How many leases are held of the service now.
  std::uint32_t leases(const ServiceState& service) const AZORA_CONTROL { return publisher_.leases(service.serial); }

  void emit(EventType type, const ServiceState& service, EventCause cause,
            std::unique_ptr<const EventDetail> detail = nullptr) AZORA_CONTROL;
  void emit(Event event) AZORA_CONTROL { publisher_.append(std::move(event)); }
  void emit(events::Check check) AZORA_CONTROL { publisher_.append_check(std::move(check)); }
  // Checks of a service can be emitted between add_name() and drop_name().
  void add_name(const ServiceState& service) AZORA_CONTROL { publisher_.add_name(service.serial, service.id); }
  void drop_name(const ServiceState& service) AZORA_CONTROL { publisher_.drop_name(service.serial); }
  Event event_of(EventType type, const ServiceState& service, EventCause cause) const AZORA_CONTROL;
  // The number of the last event so far.
  std::uint64_t head() const AZORA_CONTROL { return publisher_.head(); }

  // Runs when this turn is published.
  void answer(std::function<void()> run) AZORA_CONTROL {
    answers_.push_back({.at_once = std::move(run), .stored = {}});
  }
  // Runs when the changes of this turn are stored, or could not be stored.
  void acknowledge(std::function<void(const Result<void>&)> run) AZORA_CONTROL {
    answers_.push_back({.at_once = {}, .stored = std::move(run)});
  }
  // Is sent after the answers.
  void send(Send send) AZORA_CONTROL { sends_.push_back(std::move(send)); }

  // A turn ends in two steps: publish() shows the changes to readers; then the caller gives the answers and sends.
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
  void publish_lists() AZORA_CONTROL;

  std::vector<ServiceState*> dirty_ AZORA_OF_CONTROL;
  Listed ended_ AZORA_OF_CONTROL;
  Listed unverified_ AZORA_OF_CONTROL;
  Board board_ AZORA_OF_CONTROL;
  bool board_changed_ AZORA_OF_CONTROL = false;
  std::vector<TurnAnswer> answers_ AZORA_OF_CONTROL;
  std::vector<Send> sends_ AZORA_OF_CONTROL;
  Counts counts_;
};

}  // namespace azora::orchestrator
