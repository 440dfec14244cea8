#include "azora/keeper/client_connection.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "azora/base/asio_loop.hpp"
#include "azora/keeper/client_spawn.hpp"
#include "azora/keeper/start_failure.hpp"

namespace azora::keeper {
namespace {

SteadyTime now() { return AsioLoop::steady_now(); }

}  // namespace

ClientConnection::ClientConnection(const ClientOptions& options, const OwnWorld& world, ClientPlace& place,
                                   Ledger& ledger, ClientReports& reports)
    : options_(options), world_(world), place_(place), ledger_(ledger), reports_(reports),
      heartbeat_(options.ping_every, options.ping_glance, options.ping_patience), epoch_(options.epoch) {}

SteadyTime ClientConnection::next() const {
  switch (state_) {
    case State::down: return wants_keeper() ? attempts_.try_at() : SteadyTime::max();
    case State::greeting: return attempts_.greeting_until();
    case State::up: return heartbeat_.next();
    case State::ended: break;
  }
  return SteadyTime::max();
}

void ClientConnection::go_on() {
  if (state_ == State::down && wants_keeper() && now() >= attempts_.try_at()) bring_up();
  look_after_keeper();
  send_owed();
}

// Once there was a keeper there may be shims, and only a keeper can end them.
bool ClientConnection::wants_keeper() const {
  return may_have_shims_ || ledger_.has_unsent_launch() || ledger_.has_adoption();
}

void ClientConnection::bring_up() {
  Result<void> started = start_and_connect();
  if (!started) return bring_up_failed(started.error().message);
  state_ = State::greeting;
  attempts_.started(now());
}

Result<void> ClientConnection::start_and_connect() {
  if (!place_.is_there()) {
    if (Result<void> made = place_.make(); !made) return made;
  }
  look_after_place();
  const RuntimeFolder& folder = place_.folder();
  Result<Fd> listener = folder.listen_for_keeper();
  if (!listener) return std::move(listener).error();
  // The keeper is not there yet: the connection waits in the socket, and ends when the keeper fails to start.
  Result<Fd> socket = folder.connect_to_keeper();
  if (!socket) return std::move(socket).error();
  KeeperSpawn spawn{
      .program = options_.program, .folder = folder.path(), .token = options_.token, .ephemeral = !options_.durable};
  if (!spawn.program.starts_with('/')) spawn.program = world_.folder + "/" + spawn.program;
  spawn.cgroups = world_.variable("AZORA_NO_CGROUP").empty();
  Result<void> started = start_keeper(spawn, listener.value());
  if (!started) return started;
  link_ = KeeperLink(std::move(socket).value(), ++epoch_, options_.build_id);
  return {};
}

void ClientConnection::bring_up_failed(const std::string& reason) {
  state_ = State::down;
  attempts_.failed(now());
  ledger_.fail_unsent(reason);
  reports_.still_down(reason);
}

void ClientConnection::read() {
  if (!link_.is_open()) return;
  link_.flush();
  while (const auto frame = link_.receive()) {
    heartbeat_.answered();
    on_frame(*frame);
    if (state_ == State::ended) return;
  }
  if (link_.is_open() && state_ == State::greeting && now() >= attempts_.greeting_until()) {
    kill_keeper();
    link_.close("the keeper did not send its greeting");
  }
  if (!link_.is_open()) on_link_lost();
}

void ClientConnection::on_frame(const KeeperLink::Frame& frame) {
  const FrameType type = frame.header.type;
  if (is_record(type)) {
    Record record;
    if (read_record(frame.data, frame.size, &record)) ledger_.on_record(record);
  } else if (type == FrameType::refused) {
    Refusal refusal;
    if (!read_refusal(frame.data, frame.size, &refusal)) return;
    ledger_.on_refused(refusal, frame.header.request);
    if (refusal.type == FrameType::hello) on_hello_refused(refusal);
  } else if (type == FrameType::list_end && state_ == State::greeting) {
    on_up();
  } else if (type == FrameType::ended && said_goodbye_) {
    state_ = State::ended;
  }
}

void ClientConnection::on_up() {
  state_ = State::up;
  may_have_shims_ = true;
  attempts_.succeeded();
  heartbeat_.begin(now());
  owed_.remove(Owed::ping);
  ledger_.on_list_end();
  reports_.link_up();
}

// Refused by the keeper or, through it, by a shim that knows a greater epoch: the next try exceeds that epoch.
void ClientConnection::on_hello_refused(const Refusal& refusal) {
  fenced_ = refusal.code == RefusalCode::fenced;
  if (fenced_) epoch_ = std::max(epoch(), refusal.detail);
  link_.close(describe_refusal(refusal));
}

void ClientConnection::on_link_lost() {
  const bool was_greeting = state_ == State::greeting;
  ledger_.on_link_down();
  said_goodbye_ = false;
  if (may_have_shims_) reports_.link_down(link_.broken() + "; another is being started");
  state_ = State::down;
  if (std::exchange(fenced_, false)) return attempts_.failed(now());
  if (was_greeting) return bring_up_failed(link_.broken());
  attempts_.again(now());
}

void ClientConnection::look_after_keeper() {
  if (state_ != State::up) return;
  if (heartbeat_.is_silent(now())) return replace_keeper("");
  if (heartbeat_.should_glance(now()) && link_.keeper_is_stopped()) {
    read();  // it may have answered before it was stopped
    if (state_ != State::up) return;
    if (heartbeat_.silence(now()) > Millis{0}) return replace_keeper(", which is stopped by a signal or a debugger");
  }
  if (!heartbeat_.should_ask(now())) return;
  owed_.add(Owed::ping);
  look_after_place();
}

// `state`: what kind of silence it is, as the middle of a sentence.
void ClientConnection::replace_keeper(const std::string& state) {
  const std::string silence = std::to_string(heartbeat_.silence(now()).count());
  kill_keeper();
  link_.close("the keeper, process " + std::to_string(link_.keeper_pid()) + state + ", has not answered for " + silence + " ms");
  on_link_lost();
}

// When the end of a login session or a cleaner of temporary files has removed the folder, a new one is made, and the
// keeper and its shims are sent there. If that fails, it is tried again with the next ping.
void ClientConnection::look_after_place() {
  if (!place_.is_there() || !place_.folder().is_lost()) return;
  const std::string what = "the runtime folder \"" + place_.folder().path() + "\" was removed together with its logs";
  if (Result<void> made = place_.make(); !made) return reports_.link_down(what + "; " + made.error().message);
  owed_.set(Owed::move, state_ == State::up || state_ == State::greeting);
  reports_.link_down(what + "; services continue in \"" + place_.folder().path() + "\"");
  if (state_ == State::up) reports_.link_up();
}

void ClientConnection::hurry(Millis patience) { heartbeat_.hurry(now(), patience); }

void ClientConnection::let_go() {
  if (link_.keeper_process()) ::syscall(SYS_pidfd_send_signal, link_.keeper_process().get(), SIGTERM, nullptr, 0);
}

void ClientConnection::close(Millis patience) {
  if (!link_.is_open() || !link_.keeper_process()) return;
  pollfd process{link_.keeper_process().get(), POLLIN, 0};
  link_.close("");
  ::poll(&process, 1, static_cast<int>(patience.count()));
}

void ClientConnection::kill_keeper() {
  if (!link_.keeper_process()) return;
  ::syscall(SYS_pidfd_send_signal, link_.keeper_process().get(), SIGKILL, nullptr, 0);
}

void ClientConnection::send_owed() {
  if (state_ != State::up) return;
  if (link_.can_send() && owed_.take(Owed::ping)) send_empty(FrameType::ping);
  if (link_.can_send() && owed_.take(Owed::move)) send_folder();
  while (link_.can_send()) {
    std::vector<std::uint8_t> frame = ledger_.next_frame(epoch());
    if (frame.empty()) break;
    link_.send(std::move(frame));
    for (const auto& refused : link_.take_too_large()) ledger_.on_too_large(refused);
  }
  if (ends_fleet_ && !said_goodbye_ && link_.can_send()) {
    send_empty(FrameType::goodbye);
    said_goodbye_ = true;
  }
}

void ClientConnection::send_empty(FrameType type) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_empty(frame.data(), frame.size(), type, 0, epoch_));
  link_.send(std::move(frame));
}

void ClientConnection::send_folder() {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  const std::string& path = place_.folder().path();
  frame.resize(write_folder(frame.data(), frame.size(), {path.c_str(), static_cast<std::uint32_t>(path.size())}, epoch_));
  if (!frame.empty()) link_.send(std::move(frame));
}

}  // namespace azora::keeper
