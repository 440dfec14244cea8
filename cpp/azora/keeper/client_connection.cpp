// The keeper that works for this client: started, greeted, heard, asked whether it still works, replaced; and the
// folder it works in.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "azora/base/asio_loop.hpp"
#include "azora/keeper/client_spawn.hpp"
#include "azora/keeper/client_worker.hpp"
#include "azora/keeper/start_failure.hpp"

namespace azora::keeper {
namespace {

constexpr Millis kGreeting{10'000};  // a keeper that has not greeted by then is no use
constexpr Millis kFirstRetry{50};
constexpr Millis kLastRetry{5'000};

SteadyTime now() { return AsioLoop::steady_now(); }

std::string variable(const OwnWorld& world, std::string_view name) {
  for (const auto& [one, value] : world.environment) {
    if (one == name) return value;
  }
  return "";
}

}  // namespace

// Once there was a keeper there may be shims, and only a keeper can end them.
bool ClientWorker::wants_keeper() const {
  return may_have_shims_ || ledger_.has_unsent_launch() || ledger_.has_adoption();
}

void ClientWorker::bring_up() {
  Result<void> started = start_and_connect();
  if (!started) return bring_up_failed(started.error().message);
  state_ = State::greeting;
  greeting_until_ = now() + kGreeting;
}

Result<void> ClientWorker::start_and_connect() {
  if (folder_.path().empty()) {
    if (Result<void> made = make_folder(); !made) return made;
  }
  look_after_folder();
  Result<Fd> listener = folder_.listen_for_keeper();
  if (!listener) return std::move(listener).error();
  // Before the keeper is there: the connection waits in the socket, and its failing to come ends it.
  Result<Fd> socket = folder_.connect_to_keeper();
  if (!socket) return std::move(socket).error();
  KeeperSpawn spawn{.program = options_.program, .folder = folder_.path(), .token = token_, .ephemeral = !options_.durable};
  if (!spawn.program.starts_with('/')) spawn.program = world_.folder + "/" + spawn.program;
  spawn.cgroups = variable(world_, "AZORA_NO_CGROUP").empty();
  Result<void> started = start_keeper(spawn, listener.value());
  if (!started) return started;
  link_ = KeeperLink(std::move(socket).value(), ++epoch_, options_.build_id);
  return {};
}

Result<void> ClientWorker::make_folder() {
  Result<RuntimeFolder> made = options_.folder.empty()
                                   ? RuntimeFolder::make(options_.runtime_dir, variable(world_, "XDG_RUNTIME_DIR"))
                                   : RuntimeFolder::open(options_.folder);
  if (!made) return std::move(made).error();
  folder_ = std::move(made).value();
  MutexLock lock(mutex_);
  folder_path_ = folder_.path();
  return {};
}

void ClientWorker::bring_up_failed(const std::string& reason) {
  state_ = State::down;
  retry_later();
  ledger_.fail_unsent(reason);
  if (!reported_down_) return;
  // Why it stays down is another matter than why it went down.
  std::vector<Report> reports = ledger_.take_reports();
  reports.push_back({.kind = Report::Kind::link_down, .reason = reason});
  hand_over(std::move(reports));
}

void ClientWorker::retry_later() {
  ++failures_;
  try_at_ = now() + std::min(kLastRetry, kFirstRetry * (1 << std::min(failures_, 10)));
}

void ClientWorker::read_link() {
  if (!link_.is_open()) return;
  link_.flush();
  while (const auto frame = link_.receive()) {
    heartbeat_.answered();
    on_frame(*frame);
    if (state_ == State::ended) return;
  }
  if (link_.is_open() && state_ == State::greeting && now() >= greeting_until_) {
    kill_keeper();
    link_.close("the keeper did not greet");
  }
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
    if (refusal.type == FrameType::hello) on_hello_refused(refusal);
  } else if (type == FrameType::list_end && state_ == State::greeting) {
    on_up();
  } else if (type == FrameType::ended && said_goodbye_) {
    state_ = State::ended;
  }
}

void ClientWorker::on_up() {
  state_ = State::up;
  may_have_shims_ = true;
  failures_ = 0;
  heartbeat_.begin(now());
  ping_pending_ = false;
  ledger_.on_list_end();
  report_link_up();
}

// By the keeper or, through it, by a shim that has heard of a greater epoch: the next try exceeds that.
void ClientWorker::on_hello_refused(const Refusal& refusal) {
  fenced_ = refusal.code == RefusalCode::fenced;
  if (fenced_) epoch_ = std::max(epoch(), refusal.detail);
  link_.close(describe_refusal(refusal));
}

void ClientWorker::on_link_lost() {
  const bool was_greeting = state_ == State::greeting;
  ledger_.on_link_down();
  said_goodbye_ = false;
  if (may_have_shims_) report_link_down(link_.broken() + "; another is being started");
  state_ = State::down;
  if (std::exchange(fenced_, false)) return retry_later();
  if (was_greeting) return bring_up_failed(link_.broken());
  try_at_ = now();
}

void ClientWorker::look_after_keeper() {
  if (state_ != State::up) return;
  if (heartbeat_.is_silent(now())) return replace_keeper("");
  if (heartbeat_.should_glance(now()) && link_.keeper_is_stopped()) {
    read_link();  // it may have answered before it was stopped
    if (state_ != State::up) return;
    if (heartbeat_.silence(now()) > Millis{0}) return replace_keeper(", which is stopped by a signal or a debugger");
  }
  if (!heartbeat_.should_ask(now())) return;
  ping_pending_ = true;
  look_after_folder();
}

// `state`: what it does instead, in words.
void ClientWorker::replace_keeper(const std::string& state) {
  const std::string silence = std::to_string(heartbeat_.silence(now()).count());
  kill_keeper();
  link_.close("the keeper, process " + std::to_string(link_.keeper_pid()) + state + ", has not answered for " + silence + " ms");
  on_link_lost();
}

// Removed by the end of a login session or by a cleaner of temporary files: a new one is made, and the keeper and
// its shims are told to go there. Where that cannot be, it is tried again with the next question to the keeper.
void ClientWorker::look_after_folder() {
  if (folder_.path().empty() || !folder_.is_lost()) return;
  const std::string lost = folder_.path();
  const std::string what = "the runtime folder \"" + lost + "\" was removed, and the logs in it";
  if (Result<void> made = make_folder(); !made) return report_link_down(what + "; " + made.error().message);
  move_pending_ = state_ == State::up || state_ == State::greeting;
  report_link_down(what + "; services go on in \"" + folder_.path() + "\"");
  if (state_ == State::up) report_link_up();
}

void ClientWorker::kill_keeper() {
  if (!link_.keeper_process()) return;
  ::syscall(SYS_pidfd_send_signal, link_.keeper_process().get(), SIGKILL, nullptr, 0);
}

void ClientWorker::send_owed() {
  if (state_ != State::up) return;
  if (ping_pending_ && link_.can_send()) {
    send_empty(FrameType::ping);
    ping_pending_ = false;
  }
  if (move_pending_ && link_.can_send()) {
    std::vector<std::uint8_t> frame(kMaxSmallFrame);
    const std::string& path = folder_.path();
    frame.resize(write_folder(frame.data(), frame.size(), {path.c_str(), static_cast<std::uint32_t>(path.size())}, epoch_));
    move_pending_ = false;
    if (!frame.empty()) link_.send(std::move(frame));
  }
  while (link_.can_send()) {
    std::vector<std::uint8_t> frame = ledger_.next_frame(epoch());
    if (frame.empty()) break;
    link_.send(std::move(frame));
    for (const auto& refused : link_.take_too_large()) ledger_.on_too_large(refused);
  }
  if (ending_ == Ending::stop && !said_goodbye_ && link_.can_send()) {
    send_empty(FrameType::goodbye);
    said_goodbye_ = true;
  }
}

void ClientWorker::send_empty(FrameType type) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_empty(frame.data(), frame.size(), type, 0, epoch_));
  link_.send(std::move(frame));
}

void ClientWorker::report_link_down(std::string reason) {
  if (std::exchange(reported_down_, true)) return;
  std::vector<Report> reports = ledger_.take_reports();
  reports.push_back({.kind = Report::Kind::link_down, .reason = std::move(reason)});
  hand_over(std::move(reports));
}

void ClientWorker::report_link_up() {
  if (!std::exchange(reported_down_, false)) return;
  std::vector<Report> reports = ledger_.take_reports();
  reports.push_back({.kind = Report::Kind::link_up});
  hand_over(std::move(reports));
}

}  // namespace azora::keeper
