#include "azora/health/lanes/socket_lane.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "azora/base/check.hpp"
#include "azora/health/body_figures.hpp"
#include "azora/health/http_request.hpp"
#include "azora/health/lanes/socket_errors.hpp"

namespace azora::health {
namespace {

constexpr std::size_t kPooledExchanges = 1024;
constexpr Nanos kEnding = Millis(100);  // how long a peer has to close after it said that it will
constexpr std::uint32_t kGone = EPOLLERR | EPOLLHUP;

bool same_endpoint(const ProbeTarget& a, const ProbeTarget& b) {
  return &a == &b || (a.host == b.host && a.port == b.port && a.kind == b.kind && a.scheme == b.scheme);
}

}  // namespace

SocketLane::~SocketLane() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
}

void SocketLane::start(Slot slot, const std::shared_ptr<const ProbeTarget>& target) {
  if (slot >= connections_.size()) connections_.resize(slot + 1);
  Connection& connection = connections_[slot];
  AZORA_ASSERT(connection.exchange == nullptr);
  const bool usable = target->reuse_connection && !connection.reuse.spent() && !connection.ending;
  if (connection.fd >= 0 && (!usable || !same_endpoint(*connection.target, *target))) close_socket(slot);
  if (connection.target != target) connection.target = target;
  connection.exchange = take_exchange();
  connection.exchange->response.begin(target->method == "HEAD");
  connection.keep = target->kind == ProbeKind::http && target->reuse_connection && repeatable(*target->method);
  connection.reused = connection.fd >= 0;
  if (connection.reused) {
    idle_.remove(slot);
    ProberCounters::add(counters_.reused);
    send_request(slot);
  } else {
    connection.reuse.renewed();
    connection.stage = Stage::resolving;
    host_.need_addresses(slot);
  }
}

void SocketLane::addresses(Slot slot, std::vector<net::Address>& found) {
  Connection& connection = connections_[slot];
  if (connection.stage != Stage::resolving) return found.clear();
  connection.exchange->addresses.swap(found);
  found.clear();
  connection.exchange->next_address = 0;
  // A peer is asked to keep a connection only when we have room to keep it.
  connection.keep = connection.keep && idle_.size() < world_.max_idle;
  connect_next(slot);
}

void SocketLane::cancel(Slot slot) {
  if (slot >= connections_.size() || connections_[slot].exchange == nullptr) return;
  close_socket(slot);
  give_back(connections_[slot]);
}

void SocketLane::forget(Slot slot) {
  if (slot >= connections_.size()) return;
  cancel(slot);
  close_socket(slot);
  connections_[slot].target.reset();
}

bool SocketLane::connected(Slot slot) const {
  return slot < connections_.size() &&
         (connections_[slot].stage == Stage::sending || connections_[slot].stage == Stage::receiving);
}

void SocketLane::on_event(std::uint64_t data, std::uint32_t events, SteadyTime now) {
  const auto slot = static_cast<Slot>(data);
  const auto generation = static_cast<std::uint32_t>(data >> 32) & kGenerations;
  if (slot >= connections_.size()) return;
  Connection& connection = connections_[slot];
  if (connection.fd < 0 || connection.generation != generation) return;
  switch (connection.stage) {
    case Stage::idle:
      // On an idle connection nothing is expected: the peer closes it, or sends bytes that were not requested.
      if ((events & (EPOLLIN | EPOLLRDHUP | kGone)) != 0) close_socket(slot, true);
      return;
    case Stage::resolving: return;
    case Stage::connecting:
      if ((events & kGone) != 0) return connect_failed(slot, pending_error(connection));
      if ((events & EPOLLOUT) != 0) on_connected(slot, now);
      // Bytes that came together with the connection cause no further (edge-triggered) event.
      if (connection.stage == Stage::receiving && (events & (EPOLLIN | EPOLLRDHUP)) != 0) receive(slot, events, now);
      return;
    case Stage::sending:
      // The peer may answer (and refuse) before it has read all of the question.
      if ((events & (EPOLLIN | EPOLLRDHUP | kGone)) != 0) receive(slot, events, now);
      if (connection.stage == Stage::sending && connection.generation == generation && (events & EPOLLOUT) != 0) {
        send_rest(slot);
      }
      return;
    case Stage::receiving:
      if ((events & (EPOLLIN | EPOLLRDHUP | kGone)) != 0) receive(slot, events, now);
      return;
  }
}

// Connections that have answered by now never enter the epoll set; the others do.
void SocketLane::look(SteadyTime now) {
  looking_at_.swap(unwatched_);
  for (const auto& [slot, looked_at] : looking_at_) {
    const auto generation = looked_at;  // clang captures no structured binding
    const Connection& connection = connections_[slot];
    const auto waits = [&] {
      return connection.fd >= 0 && connection.generation == generation && connection.stage == Stage::receiving;
    };
    if (!waits()) continue;
    receive(slot, 0, now);
    if (waits() && !watch(slot)) on_broken(slot, errno);
  }
  looking_at_.clear();
}

void SocketLane::send_request(Slot slot) {
  Connection& connection = connections_[slot];
  write_request(*connection.target, connection.keep, request_);
  connection.exchange->sent = world_.clock();
  ProberCounters::add(counters_.sends);
  const ssize_t sent = ::send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  const int error = errno;
  if (sent < 0 && connection.stage == Stage::connecting) {
    // EAGAIN: not connected yet; the event says when.
    if (error != EAGAIN) return connect_failed(slot, error);
    if (!watch(slot)) on_broken(slot, errno);
    return;
  }
  if (sent != static_cast<ssize_t>(request_.size())) {
    connection.exchange->unsent.assign(request_, sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
  on_sent(slot, request_.size(), sent, error);
}

void SocketLane::send_rest(Slot slot) {
  Connection& connection = connections_[slot];
  std::string& unsent = connection.exchange->unsent;
  const std::size_t size = unsent.size();
  ProberCounters::add(counters_.sends);
  const ssize_t sent = ::send(connection.fd, unsent.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
  const int error = errno;
  if (sent > 0) unsent.erase(0, static_cast<std::size_t>(sent));
  on_sent(slot, size, sent, error);
}

void SocketLane::on_sent(Slot slot, std::size_t size, std::ptrdiff_t sent, int error) {
  if (sent < 0 && error != EAGAIN) return on_broken(slot, error);
  Connection& connection = connections_[slot];
  connection.stage = sent == static_cast<std::ptrdiff_t>(size) ? Stage::receiving : Stage::sending;
  if (connection.watched) return;
  if (connection.stage == Stage::receiving && !connection.keep && host_.gathers()) {
    unwatched_.push_back({slot, connection.generation});
  } else if (!watch(slot)) {
    on_broken(slot, errno);
  }
}

void SocketLane::receive(Slot slot, std::uint32_t events, SteadyTime now) {
  Connection& connection = connections_[slot];
  HttpResponse& response = connection.exchange->response;
  const bool hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  while (true) {
    ProberCounters::add(counters_.recvs);
    const ssize_t got = ::recv(connection.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0) {
      if (errno != EAGAIN) on_broken(slot, errno);
      return;
    }
    if (got == 0 && !response.started()) return on_broken(slot, 0);
    const auto state = got == 0 ? response.end_of_stream()
                                : response.feed({buffer_.data(), static_cast<std::size_t>(got)});
    if (state != HttpResponse::State::more) return finish_answer(slot, now, hung_up || got == 0);
    // Fewer bytes than there was room for: the socket is empty and the next edge shows more, unless the end of the
    // stream was already shown.
    if (static_cast<std::size_t>(got) < buffer_.size() && !hung_up) return;
  }
}

// The connection broke, or ended (error 0) before the first byte of an answer.
void SocketLane::on_broken(Slot slot, int error) {
  Connection& connection = connections_[slot];
  const bool started = connection.exchange->response.started();
  close_socket(slot, error == 0);
  if (connection.reused && !started) {
    // The peer had closed the kept connection: our question never reached it. Ask once more, anew.
    connection.reused = false;
    connection.reuse.renewed();
    connection.exchange->unsent.clear();
    connection.stage = Stage::resolving;
    ProberCounters::add(counters_.retries);
    return host_.need_addresses(slot);
  }
  if (error == 0) {
    return end(slot, {.outcome = Outcome::protocol_error, .error = "the connection was closed without a response"});
  }
  if (is_shortage(error)) return end(slot, {.outcome = Outcome::overloaded, .error = socket_error_words(error)});
  end(slot, {.outcome = started ? Outcome::protocol_error : Outcome::refused,
             .error = started ? "connection reset in the middle of the response" : socket_error_words(error)});
}

void SocketLane::finish_answer(Slot slot, SteadyTime now, bool hung_up) {
  Connection& connection = connections_[slot];
  const HttpResponse& response = connection.exchange->response;
  ProbeEnd result;
  result.latency = std::max(Nanos(0), now - connection.exchange->sent);
  if (response.problem()[0] != '\0') {
    if (!connection.reused && met_itself(slot)) return;  // our socket read its own question
    result.outcome = Outcome::protocol_error;
    result.error = response.problem();
    return end(slot, std::move(result));
  }
  result.outcome = Outcome::answered;
  result.http_status = response.status();
  if (!response.body().empty()) {
    BodyFigures figures = read_figures(response.body());
    result.cpu = std::move(figures.cpu);
    result.memory = std::move(figures.memory);
  }
  const bool all_sent = connection.stage == Stage::receiving;
  const bool keep = connection.keep && all_sent && !hung_up && response.reusable() && idle_.size() < world_.max_idle;
  if (connection.reuse.keep_after(response.status() < 300) && keep) {
    idle_.add(slot);
  } else if (hung_up || !response.ends_connection()) {
    close_socket(slot, hung_up);
  } else {
    await_end(slot, now);
  }
  end(slot, std::move(result));
}

// The peer said that it closes. If we closed at the same moment, both ends could keep TIME_WAIT, so we wait for the
// peer's end; the answer is complete meanwhile.
void SocketLane::await_end(Slot slot, SteadyTime now) {
  Connection& connection = connections_[slot];
  if (peer_has_closed(connection)) return close_socket(slot, true);
  if (!watch(slot)) return close_socket(slot);
  connection.ending = true;
  endings_.push_back({slot, connection.generation, now + kEnding});
}

std::optional<SteadyTime> SocketLane::next() const {
  if (endings_.empty()) return std::nullopt;
  return endings_.front().until;
}

void SocketLane::advance(SteadyTime now) {
  while (!endings_.empty()) {
    const auto [slot, generation, until] = endings_.front();
    const Connection& connection = connections_[slot];
    const bool waits = connection.ending && connection.generation == generation;
    if (waits && until > now) return;
    endings_.pop_front();
    if (waits) close_socket(slot);
  }
}

bool SocketLane::peer_has_closed(const Connection& connection) {
  char byte = 0;
  ProberCounters::add(counters_.recvs);
  return ::recv(connection.fd, &byte, 1, MSG_DONTWAIT) == 0;
}

void SocketLane::end(Slot slot, ProbeEnd result) {
  Connection& connection = connections_[slot];
  if (!idle_.contains(slot) && !connection.ending) close_socket(slot);
  give_back(connection);
  host_.on_end(slot, std::move(result));
}

void SocketLane::give_back(Connection& connection) {
  connection.stage = Stage::idle;
  if (pool_.size() < kPooledExchanges) pool_.push_back(std::move(connection.exchange));
  connection.exchange.reset();
}

// `by_reset`: the peer has closed first, and need not wait for our end.
void SocketLane::close_socket(Slot slot, bool by_reset) {
  Connection& connection = connections_[slot];
  if (connection.fd < 0) return;
  idle_.remove(slot);
  if (by_reset) {
    const linger at_once{1, 0};
    ProberCounters::add(counters_.options);
    ::setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ProberCounters::add(counters_.closes);
  ::close(connection.fd);  // leaves the epoll set by itself
  connection.fd = -1;
  connection.watched = connection.ending = false;
}

std::unique_ptr<SocketLane::Exchange> SocketLane::take_exchange() {
  if (pool_.empty()) return std::make_unique<Exchange>();
  std::unique_ptr<Exchange> exchange = std::move(pool_.back());
  pool_.pop_back();
  exchange->addresses.clear();
  exchange->unsent.clear();
  exchange->next_address = 0;
  exchange->last_error = 0;
  exchange->forbidden = false;
  return exchange;
}

}  // namespace azora::health
