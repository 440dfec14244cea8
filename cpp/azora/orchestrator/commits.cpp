#include "azora/orchestrator/commits.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <string>

#include "azora/base/check.hpp"
#include "azora/base/undo.hpp"

namespace azora::orchestrator {
namespace {

// If one of them throws, the others of its turn still run.
template <typename Body>
void guarded(const Body& body) noexcept {
  try {
    body();
  } catch (...) {
    report_exception("turn", std::current_exception());
  }
}

}  // namespace

Commits::Commits(Loop& loop, store::Store& store, Journal::Sources sources, Hooks hooks)
    : loop_(loop), store_(store), journal_(store, std::move(sources)), hooks_(std::move(hooks)) {
  store_.set_listener(this);
}

Commits::~Commits() { loop_.cancel(timer_); }

void Commits::end_turn(std::vector<TurnAnswer> answers, std::vector<Send> sends) {
  end_trouble_when_stored();
  if (!trouble_ || (retry_ && !tickets_.under_way())) try_to_commit();
  end_trouble_when_stored();
  if (!trouble_) {
    // The ends of these runs are stored by now, or will be with the ticket of this turn.
    sends.insert(sends.begin(), std::make_move_iterator(unacknowledged_.begin()), std::make_move_iterator(unacknowledged_.end()));
    unacknowledged_.clear();
  }
  release();
  if (trouble_ || abandoned_ || !tickets_.under_way()) {
    run(answers, abandoned_ ? Result<void>(*abandoned_) : trouble_ ? Result<void>(*trouble_) : Result<void>());
    for (Send& one : sends) send(one);
  } else {
    hold(std::move(answers), std::move(sends));
  }
  watch();
}

// Commits the rows of this turn, and the rows that a failed ticket did not store.
void Commits::commit() {
  retry_ = false;
  store::Batch batch = journal_.collect();
  if (batch.empty()) return;
  const store::Ticket ticket = tickets_.give(loop_.now().steady);
  journal_.gave(ticket);
  UndoUnlessDone giving([this, ticket] {
    control_thread.assert_held();
    if (tickets_.is_told(ticket)) return;  // the store answered before it threw
    tickets_.take_back();
    journal_.not_given();
  });
  [[maybe_unused]] const store::Ticket got = store_.commit(std::move(batch));
  AZORA_ASSERT(got == ticket);
  giving.done();
}

// If the rows of a turn cannot be committed, its answers and sends are not lost.
void Commits::try_to_commit() noexcept {
  try {
    commit();
  } catch (...) {
    const std::exception_ptr exception = std::current_exception();
    report_exception("commit", exception);
    begin_trouble({ErrorCode::storage_failed, "not stored: " + exception_words(exception), {}});
  }
}

void Commits::on_committed(store::Ticket ticket) {
  control_thread.assert_held();
  journal_.committed(ticket);
  ++counts_.committed;
  tickets_.committed(ticket);
}

void Commits::on_failed(store::Ticket ticket, const store::Failure& failure) {
  control_thread.assert_held();
  journal_.failed(ticket);
  ++counts_.failed;
  tickets_.failed(ticket);
  begin_trouble({failure.full ? ErrorCode::storage_full : ErrorCode::storage_failed, "not stored: " + failure.reason, {}});
}

void Commits::begin_trouble(Error error) {
  loop_.cancel(std::exchange(timer_, 0));
  const bool news = !trouble_ || trouble_->code != error.code || trouble_->message != error.message;
  trouble_ = std::move(error);
  if (news) loop_.post([this, trouble = *trouble_] { hooks_.trouble(&trouble); });
}

// True when the store's last answer was good and no row of a failed ticket is missing.
void Commits::end_trouble_when_stored() {
  if (!trouble_ || tickets_.under_way() || !tickets_.last_was_committed() || journal_.owes()) return;
  trouble_.reset();
  loop_.post([this] { hooks_.trouble(nullptr); });
}

// Releases the turns whose ticket was answered, or all turns if there is trouble.
void Commits::release() {
  while (!waiting_.empty() && (trouble_ || tickets_.is_told(waiting_.front().ticket))) {
    Waiting turn = std::move(waiting_.front());
    waiting_.pop_front();
    run(turn.answers, tickets_.is_committed(turn.ticket) ? Result<void>() : Result<void>(*trouble_));
    send_waited(turn.sends);
  }
  if (waiting_.empty()) dropped_.clear();
}

// A start may not be wanted any more after waiting: if a stop came in between, the start is never sent.
void Commits::send_waited(std::vector<Send>& sends) {
  for (Send& one : sends) {
    const Run run = one.run;
    if (one.kind == Send::Kind::start) held_starts_.remove(run.serial);
    if (one.kind == Send::Kind::start && !hooks_.wanted(one)) {
      dropped_.push_back(run);
      guarded([&] { hooks_.dropped(one); });
    } else if (std::find(dropped_.begin(), dropped_.end(), run) == dropped_.end()) {
      if (one.kind == Send::Kind::start) hooks_.late(one);
      send(one);
    }
  }
}

void Commits::hold(std::vector<TurnAnswer> answers, std::vector<Send> sends) {
  const auto waits_for = [this](std::uint64_t serial) AZORA_CONTROL {
    return std::any_of(waiting_.begin(), waiting_.end(), [serial](const Waiting& turn) {
      return std::any_of(turn.sends.begin(), turn.sends.end(), [serial](const Send& one) { return one.run.serial == serial; });
    });
  };
  Waiting turn{.ticket = tickets_.last_given()};
  for (TurnAnswer& one : answers) {
    if (one.at_once) {
      guarded(one.at_once);
    } else {
      turn.answers.push_back(std::move(one));
    }
  }
  waiting_.push_back(std::move(turn));
  for (Send& one : sends) {
    // The kill follows a stop, and its reason was stored with that stop.
    if (one.kind == Send::Kind::kill && !waits_for(one.run.serial)) {
      send(one);
    } else {
      if (one.kind == Send::Kind::start) {
        held_starts_.add(one.run.serial, loop_.now().steady);
        hooks_.held(one);
      }
      waiting_.back().sends.push_back(std::move(one));
    }
  }
  if (waiting_.back().answers.empty() && waiting_.back().sends.empty()) waiting_.pop_back();
}

void Commits::send(Send& send) {
  if (trouble_ && send.kind == Send::Kind::acknowledge) {
    unacknowledged_.push_back(std::move(send));
  } else {
    guarded([&] { hooks_.deliver(send); });
  }
}

void Commits::run(const std::vector<TurnAnswer>& answers, const Result<void>& outcome) {
  for (const TurnAnswer& one : answers) {
    guarded([&] { one.at_once ? one.at_once() : one.stored(outcome); });
  }
}

void Commits::watch() {
  if (timer_ != 0 || abandoned_) return;
  const SteadyTime now = loop_.now().steady;
  if (trouble_) {
    timer_ = loop_.at(now + kRetry, [this] {
      control_thread.assert_held();
      timer_ = 0;
      retry_ = true;  // the end of this turn commits
    });
  } else if (tickets_.under_way()) {
    timer_ = loop_.at(tickets_.oldest_since() + kPatience, [this] {
      control_thread.assert_held();
      timer_ = 0;
      if (trouble_ || !tickets_.under_way() || loop_.now().steady < tickets_.oldest_since() + kPatience) return;
      begin_trouble({ErrorCode::storage_failed,
                     "not stored: the store has not answered for " + std::to_string(kPatience.count() / 1000) + " s", {}});
    });
  }
}

void Commits::abandon(Error error) {
  abandoned_ = std::move(error);
  loop_.cancel(std::exchange(timer_, 0));
  for (Waiting& turn : std::exchange(waiting_, {})) run(turn.answers, *abandoned_);
}

}  // namespace azora::orchestrator
