#include "azora/keeper/client_worker.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "azora/base/asio_loop.hpp"

namespace azora::keeper {
namespace {

constexpr Millis kEndPatience{1'000};  // for an answer of the keeper, while the fleet is being ended

SteadyTime now() { return AsioLoop::steady_now(); }

std::string new_token() {
  std::random_device random;
  std::string token = "azora-" + std::to_string(::getpid()) + "-";
  for (int i = 0; i < 8; ++i) token += "0123456789abcdef"[random() % 16];
  return token;
}

ClientOptions with_token(ClientOptions options) {
  if (options.token.empty()) options.token = new_token();
  return options;
}

}  // namespace

ClientWorker::ClientWorker(ClientOptions options, OwnWorld world, Deliver deliver)
    : options_(with_token(std::move(options))),
      world_(std::move(world)),
      inbox_(std::make_shared<ClientInbox>()),
      place_(options_, world_),
      reports_(ledger_, std::move(deliver)),
      commands_(options_, world_, ledger_, inbox_),
      connection_(options_, world_, place_, ledger_, reports_) {}

Result<void> ClientWorker::prepare() {
  Result<void> opened = place_.open_given();
  if (opened && place_.is_there() && place_.folder().has_shims()) connection_.expect_shims();
  return opened;
}

void ClientWorker::run() {
  while (!is_over()) {
    wait();
    take_orders();
    if (farewell_.stops()) press_end();
    if (!is_over()) connection_.go_on();
    if (farewell_.leaves()) {
      connection_.let_go();
      farewell_.finish(true);
    }
    reports_.hand_over();
  }
  clean_up();
}

void ClientWorker::wait() {
  std::array<pollfd, 2> fds{pollfd{inbox_->fd(), POLLIN, 0}, pollfd{connection_.fd(), POLLIN, 0}};
  if (connection_.wants_room()) fds[1].events |= POLLOUT;
  const SteadyTime until = std::min(connection_.next(), farewell_.next());
  int timeout = -1;
  if (until != SteadyTime::max()) {
    const auto left = std::chrono::ceil<Millis>(until - now()).count();
    timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  // poll ignores the link's -1 while there is none.
  if (::poll(fds.data(), fds.size(), timeout) > 0 && fds[0].revents != 0) inbox_->hush();
}

void ClientWorker::take_orders() {
  ClientInbox::Orders orders = inbox_->take();
  if (farewell_.ask(orders.ending, orders.deadline)) connection_.hurry(kEndPatience);
  if (farewell_.is_asked()) commands_.close();
  // What the keeper sent is read first, because a command refers to what was known when it was given.
  connection_.read();
  if (!orders.commands.empty()) connection_.look_after_place();
  for (Command& command : orders.commands) commands_.carry_out(std::move(command));
}

// Does what is due when the deadline has passed.
void ClientWorker::press_end() {
  if (is_over()) return;
  connection_.end_fleet();
  commands_.refuse_waiting();
  if (!connection_.may_have_shims() && connection_.is_down()) return farewell_.finish(true);
  if (farewell_.must_kill_all(now())) ledger_.kill_all();
  // There is no keeper and none can be started: the shims will end with our process.
  if (farewell_.is_late(now()) && connection_.is_down() && connection_.has_failed()) return farewell_.finish(false);
  // A keeper that hangs prevents one that works from being started.
  if (farewell_.must_kill_keeper(now())) connection_.kill_keeper();
  if (farewell_.must_give_up(now())) farewell_.finish(false);
}

void ClientWorker::clean_up() {
  for (Command& command : inbox_->take().commands) commands_.carry_out(std::move(command));
  reports_.hand_over();
  connection_.close(Farewell::kKeeperPatience);
  // Shims that may be left still need a folder that was made. The next orchestrator needs a given one, maybe in this
  // very process, while something here still refers to us.
  if (farewell_.was_clean() && (place_.folder().is_given() || !farewell_.leaves())) place_.remove();
}

}  // namespace azora::keeper
