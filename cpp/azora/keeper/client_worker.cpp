#include "azora/keeper/client_worker.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <utility>

#include "azora/base/asio_loop.hpp"
#include "azora/base/check.hpp"
#include "azora/keeper/client_birth.hpp"
#include "azora/keeper/start_failure.hpp"

namespace azora::keeper {
namespace {

constexpr Millis kGreeting{10'000};     // a keeper that has not greeted by then is no use
constexpr Millis kFirstRetry{50};
constexpr Millis kLastRetry{5'000};
constexpr Millis kKeeperPatience{2'000};  // after SIGKILL for all: then the keeper itself is at fault
constexpr Millis kPatience{5'000};        // after the deadline of end(), in all

SteadyTime now() { return AsioLoop::steady_now(); }

std::string variable(const OwnWorld& world, std::string_view name) {
  for (const auto& [one, value] : world.environment) {
    if (one == name) return value;
  }
  return "";
}

std::string new_token() {
  std::random_device random;
  std::string token = "azora-" + std::to_string(::getpid()) + "-";
  for (int i = 0; i < 8; ++i) token += "0123456789abcdef"[random() % 16];
  return token;
}

}  // namespace

ClientWorker::ClientWorker(Options options, Deliver deliver)
    : options_(std::move(options)), deliver_(std::move(deliver)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

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

void ClientWorker::end(SteadyTime deadline) {
  {
    MutexLock lock(mutex_);
    ending_asked_ = true;
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
    std::vector<Command> commands;
    {
      MutexLock lock(mutex_);
      commands.swap(commands_);
      ending_ = ending_asked_;
      end_deadline_ = end_deadline_asked_;
    }
    // What the keeper said first: a command is about what was known when it was given.
    read_link();
    for (Command& command : commands) carry_out(std::move(command));
    if (state_ == State::down && wants_keeper() && now() >= try_at_) bring_up();
    if (ending_) press_end();
    send_owed();
    hand_over(ledger_.take_reports());
  }
  clean_up();
}

void ClientWorker::wait() {
  std::array<pollfd, 2> fds{pollfd{wake_.get(), POLLIN, 0}, pollfd{link_.fd(), POLLIN, 0}};
  if (link_.wants_room()) fds[1].events |= POLLOUT;
  SteadyTime until = SteadyTime::max();
  if (state_ == State::down && wants_keeper()) until = std::min(until, try_at_);
  if (state_ == State::greeting) until = std::min(until, greeting_until_);
  if (ending_) {
    const SteadyTime keeper_limit = end_deadline_ + kKeeperPatience;
    until = std::min(until, !killed_all_ ? end_deadline_ : !killed_keeper_ ? keeper_limit : end_deadline_ + kPatience);
  }
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
  if (const auto* launch = std::get_if<Launch>(&command)) return resolve_and_launch(*launch);
  if (const auto* stop = std::get_if<StopCommand>(&command)) {
    return ledger_.stop(stop->serial, stop->incarnation, stop->signal);
  }
  if (const auto* kill = std::get_if<KillCommand>(&command)) return ledger_.kill(kill->serial, kill->incarnation);
  if (const auto* forget = std::get_if<ForgetCommand>(&command)) ledger_.forget(forget->serial);
}

void ClientWorker::resolve_and_launch(const Launch& launch) {
  if (ending_) return ledger_.refuse_launch(launch.serial, launch.incarnation, "the fleet is being stopped");
  Result<LaunchRequest> request = resolve(launch, options_.world);
  if (request) return ledger_.launch(std::move(request).value());
  ledger_.refuse_launch(launch.serial, launch.incarnation, request.error().message);
}

// Once there was a keeper there may be shims, and only a keeper can end them.
bool ClientWorker::wants_keeper() const { return was_up_ || ledger_.has_unsent_launch(); }

void ClientWorker::bring_up() {
  Result<void> started = start_and_connect();
  if (!started) return bring_up_failed(started.error().message);
  state_ = State::greeting;
  greeting_until_ = now() + kGreeting;
}

Result<void> ClientWorker::start_and_connect() {
  if (folder_.path().empty()) {
    Result<RuntimeFolder> made = RuntimeFolder::make(options_.runtime_dir, variable(options_.world, "XDG_RUNTIME_DIR"));
    if (!made) return std::move(made).error();
    folder_ = std::move(made).value();
    token_ = new_token();
    MutexLock lock(mutex_);
    folder_path_ = folder_.path();
  }
  Result<Fd> listener = folder_.listen_for_keeper();
  if (!listener) return std::move(listener).error();
  // Before the keeper is there: the connection waits in the socket, and its failing to come ends it.
  Result<Fd> socket = folder_.connect_to_keeper();
  if (!socket) return std::move(socket).error();
  Birth birth{.program = options_.program, .folder = folder_.path(), .token = token_};
  if (!birth.program.starts_with('/')) birth.program = options_.world.folder + "/" + birth.program;
  birth.cgroups = variable(options_.world, "AZORA_NO_CGROUP").empty();
  Result<void> started = start_keeper(birth, listener.value());
  if (!started) return started;
  link_ = KeeperLink(std::move(socket).value(), ++epoch_, options_.build_id);
  return {};
}

void ClientWorker::bring_up_failed(const std::string& reason) {
  state_ = State::down;
  ++failures_;
  try_at_ = now() + std::min(kLastRetry, kFirstRetry * (1 << std::min(failures_, 10)));
  ledger_.fail_unsent(reason);
}

void ClientWorker::read_link() {
  if (!link_.is_open()) return;
  link_.flush();
  while (const auto frame = link_.receive()) {
    on_frame(*frame);
    if (state_ == State::ended) return;
  }
  if (link_.is_open() && state_ == State::greeting && now() >= greeting_until_) link_.close("the keeper did not greet");
  if (!link_.is_open()) on_link_lost();
}

void ClientWorker::on_frame(const KeeperLink::Frame& frame) {
  const FrameType type = frame.header.type;
  if (is_record(type)) {
    Record record;
    if (read_record(frame.data, frame.size, &record)) ledger_.on_record(record);
  } else if (type == FrameType::refused) {
    Refusal refusal;
    if (!read_refusal(frame.data, frame.size, &refusal)) return;
    ledger_.on_refused(refusal, frame.header.request);
    if (refusal.type == FrameType::hello) link_.close(describe_refusal(refusal));
  } else if (type == FrameType::list_end && state_ == State::greeting) {
    state_ = State::up;
    was_up_ = true;
    failures_ = 0;
    ledger_.on_list_end();
    if (std::exchange(told_down_, false)) {
      std::vector<Report> reports = ledger_.take_reports();
      reports.push_back({.kind = Report::Kind::link_up});
      hand_over(std::move(reports));
    }
  } else if (type == FrameType::ended && said_goodbye_) {
    state_ = State::ended;
  }
}

void ClientWorker::on_link_lost() {
  const bool was_greeting = state_ == State::greeting;
  ledger_.on_link_down();
  said_goodbye_ = false;
  if (was_up_ && !std::exchange(told_down_, true)) {
    std::vector<Report> reports = ledger_.take_reports();
    reports.push_back({.kind = Report::Kind::link_down, .reason = link_.broken() + "; another is being started"});
    hand_over(std::move(reports));
  }
  state_ = State::down;
  if (was_greeting) return bring_up_failed(link_.broken());
  try_at_ = now();
}

void ClientWorker::send_owed() {
  if (state_ != State::up) return;
  while (link_.can_send()) {
    std::vector<std::uint8_t> frame = ledger_.next_frame(epoch_);
    if (frame.empty()) break;
    link_.send(std::move(frame));
  }
  if (ending_ && !said_goodbye_ && link_.can_send()) {
    std::vector<std::uint8_t> frame(kMaxSmallFrame);
    frame.resize(write_empty(frame.data(), frame.size(), FrameType::goodbye, 0, epoch_));
    link_.send(std::move(frame));
    said_goodbye_ = true;
  }
}

// What follows from the deadline; the goodbye itself is said by send_owed().
void ClientWorker::press_end() {
  if (state_ == State::ended) return;
  ledger_.fail_unsent("the fleet is being stopped");
  if (!was_up_ && state_ == State::down) {
    state_ = State::ended;
    return;
  }
  if (now() >= end_deadline_ && !std::exchange(killed_all_, true)) ledger_.kill_all();
  // A keeper that does nothing any more is in the way of one that would.
  if (now() >= end_deadline_ + kKeeperPatience && !std::exchange(killed_keeper_, true) && link_.keeper_process()) {
    ::syscall(SYS_pidfd_send_signal, link_.keeper_process().get(), SIGKILL, nullptr, 0);
  }
  if (now() >= end_deadline_ + kPatience) {
    state_ = State::ended;
    ended_clean_ = false;
  }
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
  if (ended_clean_) folder_.remove();
}

}  // namespace azora::keeper
