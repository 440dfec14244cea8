#include "azora/keeper/client_worker.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "azora/base/asio_loop.hpp"

namespace azora::keeper {
namespace {

constexpr Millis kEndPatience{1'000};     // for an answer of the keeper, while the fleet is being ended
constexpr Millis kKeeperPatience{2'000};  // after SIGKILL for all: then the keeper itself is at fault
constexpr Millis kPatience{5'000};        // after the deadline of end(), in all

SteadyTime now() { return AsioLoop::steady_now(); }

std::string new_token() {
  std::random_device random;
  std::string token = "azora-" + std::to_string(::getpid()) + "-";
  for (int i = 0; i < 8; ++i) token += "0123456789abcdef"[random() % 16];
  return token;
}

}  // namespace

ClientWorker::ClientWorker(ClientOptions options, OwnWorld world, Deliver deliver)
    : options_(std::move(options)),
      world_(std::move(world)),
      deliver_(std::move(deliver)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      lookups_(options_.accounts, world_.uid),
      token_(options_.token.empty() ? new_token() : options_.token),
      heartbeat_(options_.ping_every, options_.ping_glance, options_.ping_patience),
      epoch_(options_.epoch) {}

Result<void> ClientWorker::prepare() {
  if (options_.folder.empty() || !folder_.path().empty()) return {};
  Result<RuntimeFolder> opened = RuntimeFolder::open(options_.folder);
  if (!opened) return std::move(opened).error();
  folder_ = std::move(opened).value();
  may_have_shims_ = folder_.has_shims();
  MutexLock lock(mutex_);
  folder_path_ = folder_.path();
  return {};
}

void ClientWorker::push(Command command) {
  bool first = false;
  {
    MutexLock lock(mutex_);
    first = commands_.empty();
    commands_.push_back(std::move(command));
  }
  constexpr std::uint64_t kOne = 1;
  if (first) [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &kOne, sizeof kOne);
}

void ClientWorker::end(SteadyTime deadline) { ask_end(Ending::stop, deadline); }

void ClientWorker::leave() { ask_end(Ending::leave, {}); }

void ClientWorker::ask_end(Ending how, SteadyTime deadline) {
  {
    MutexLock lock(mutex_);
    ending_asked_ = how;
    end_deadline_asked_ = deadline;
  }
  constexpr std::uint64_t kOne = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &kOne, sizeof kOne);
}

std::string ClientWorker::folder_of(Serial serial) const {
  MutexLock lock(mutex_);
  return folder_path_.empty() ? "" : folder_path_ + "/" + std::to_string(serial);
}

void ClientWorker::run() {
  while (state_ != State::ended) {
    wait();
    take_orders();
    if (ending_ == Ending::stop) press_end();
    if (state_ == State::down && wants_keeper() && now() >= try_at_) bring_up();
    look_after_keeper();
    send_owed();
    if (ending_ == Ending::leave) let_go();
    hand_over(ledger_.take_reports());
  }
  clean_up();
}

void ClientWorker::take_orders() {
  std::vector<Command> commands;
  {
    MutexLock lock(mutex_);
    commands.swap(commands_);
    if (ending_ == Ending::no && ending_asked_ == Ending::stop) heartbeat_.hurry(now(), kEndPatience);
    ending_ = ending_asked_;
    end_deadline_ = end_deadline_asked_;
  }
  // What the keeper sent first: a command is about what was known when it was given.
  read_link();
  if (!commands.empty()) look_after_folder();
  for (Command& command : commands) carry_out(std::move(command));
}

SteadyTime ClientWorker::wake_at() const {
  SteadyTime until = SteadyTime::max();
  if (state_ == State::down && wants_keeper()) until = std::min(until, try_at_);
  if (state_ == State::greeting) until = std::min(until, greeting_until_);
  if (state_ == State::up) until = std::min(until, heartbeat_.next());
  if (ending_ == Ending::stop) {
    const SteadyTime keeper_limit = end_deadline_ + kKeeperPatience;
    until = std::min(until, !killed_all_ ? end_deadline_ : !killed_keeper_ ? keeper_limit : end_deadline_ + kPatience);
  }
  return until;
}

void ClientWorker::wait() {
  std::array<pollfd, 2> fds{pollfd{wake_.get(), POLLIN, 0}, pollfd{link_.fd(), POLLIN, 0}};
  if (link_.wants_room()) fds[1].events |= POLLOUT;
  const SteadyTime until = wake_at();
  int timeout = -1;
  if (until != SteadyTime::max()) {
    const auto left = std::chrono::ceil<Millis>(until - now()).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  // poll ignores the link's -1 while there is none.
  if (::poll(fds.data(), fds.size(), timeout) < 0) return;
  std::uint64_t count = 0;
  if (fds[0].revents != 0) [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
}

void ClientWorker::carry_out(Command command) {
  if (auto* launch = std::get_if<Launch>(&command)) return begin_launch(std::move(*launch));
  if (auto* found = std::get_if<LookedUp>(&command)) {
    if (!lookups_.finish(found->launch.serial, found->launch.incarnation)) return;  // stopped or forgotten meanwhile
    if (found->account) return launch(found->launch, found->account.value());
    return ledger_.refuse_launch(found->launch.serial, found->launch.incarnation, found->account.error().message);
  }
  if (auto* adopt = std::get_if<AdoptCommand>(&command)) {
    return ledger_.adopt(adopt->serial, adopt->incarnation, std::move(adopt->id));
  }
  if (const auto* end = std::get_if<AcknowledgeCommand>(&command)) return ledger_.acknowledge(end->serial, end->incarnation);
  if (const auto* stop = std::get_if<StopCommand>(&command)) {
    end_lookup(stop->serial, stop->incarnation);
    return ledger_.stop(stop->serial, stop->incarnation, stop->order);
  }
  if (const auto* kill = std::get_if<KillCommand>(&command)) {
    end_lookup(kill->serial, kill->incarnation);
    return ledger_.kill(kill->serial, kill->incarnation);
  }
  if (const auto* forget = std::get_if<ForgetCommand>(&command)) {
    lookups_.drop(forget->serial);
    ledger_.forget(forget->serial);
  }
}

void ClientWorker::begin_launch(Launch launch) {
  if (ending_ != Ending::no) return ledger_.refuse_launch(launch.serial, launch.incarnation, "the fleet is being stopped");
  if (launch.spec.user.empty()) return this->launch(launch, std::nullopt);
  Result<void> begun = lookups_.begin(launch, [worker = weak_from_this()](LookedUp found) {
    if (const auto self = worker.lock()) self->push(std::move(found));
  });
  if (!begun) ledger_.refuse_launch(launch.serial, launch.incarnation, begun.error().message);
}

void ClientWorker::launch(const Launch& launch, const std::optional<Account>& account) {
  Result<LaunchRequest> request = resolve(launch, world_, account, token_, own_umask());
  if (request) return ledger_.launch(std::move(request).value());
  ledger_.refuse_launch(launch.serial, launch.incarnation, request.error().message);
}

// A launch that still waits for its user ends with the first command against it.
void ClientWorker::end_lookup(Serial serial, std::uint64_t incarnation) {
  if (!lookups_.finish(serial, incarnation)) return;
  ledger_.refuse_launch(serial, incarnation, "it was stopped while its user was still being looked up");
}

// What follows from the deadline; the goodbye itself is sent by send_owed().
void ClientWorker::press_end() {
  if (state_ == State::ended) return;
  for (const auto& [serial, incarnation] : lookups_.abandon_all()) {
    ledger_.refuse_launch(serial, incarnation, "the fleet is being stopped");
  }
  ledger_.fail_unsent("the fleet is being stopped");
  if (!may_have_shims_ && state_ == State::down) {
    state_ = State::ended;
    return;
  }
  if (now() >= end_deadline_ && !std::exchange(killed_all_, true)) ledger_.kill_all();
  // There is no keeper to be had, and no reason to think that there will be one: the shims end with our process.
  if (now() >= end_deadline_ && state_ == State::down && failures_ > 0) {
    state_ = State::ended;
    ended_clean_ = false;
    return;
  }
  // A keeper that does nothing any more is in the way of one that would.
  if (now() >= end_deadline_ + kKeeperPatience && !std::exchange(killed_keeper_, true)) kill_keeper();
  if (now() >= end_deadline_ + kPatience) {
    state_ = State::ended;
    ended_clean_ = false;
  }
}

// A keeper leaves its shims alone when it is asked to end; the next orchestrator starts its own.
void ClientWorker::let_go() {
  if (link_.keeper_process()) ::syscall(SYS_pidfd_send_signal, link_.keeper_process().get(), SIGTERM, nullptr, 0);
  state_ = State::ended;
}

void ClientWorker::hand_over(std::vector<Report> reports) {
  if (!reports.empty()) deliver_(std::move(reports));
}

void ClientWorker::clean_up() {
  std::vector<Command> commands;
  {
    MutexLock lock(mutex_);
    commands.swap(commands_);
  }
  for (Command& command : commands) carry_out(std::move(command));
  hand_over(ledger_.take_reports());
  if (link_.is_open() && link_.keeper_process()) {
    pollfd process{link_.keeper_process().get(), POLLIN, 0};
    link_.close("");
    ::poll(&process, 1, static_cast<int>(kKeeperPatience.count()));
  }
  // Shims that may be left still need the folder.
  if (ended_clean_ && ending_ != Ending::leave) folder_.remove();
}

}  // namespace azora::keeper
