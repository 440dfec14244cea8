#include "azora/health/socket_probes.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "azora/base/check.hpp"
#include "azora/health/body_figures.hpp"
#include "azora/health/http_request.hpp"

namespace azora::health {
namespace {

constexpr std::size_t kPooledExchanges = 1024;

bool is_ours(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL ||
         error == EAGAIN || error == ENOSPC;
}

std::string text_of(int error) {
  switch (error) {
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET:
    case EPIPE: return "connection reset";
    case EHOSTUNREACH: return "host unreachable";
    case ENETUNREACH: return "network unreachable";
    case ETIMEDOUT: return "connection timed out";
    case EACCES:
    case EPERM: return "connection not permitted";
    case EMFILE:
    case ENFILE: return "the check could not be made: no file descriptors left";
    case EADDRNOTAVAIL:
    case EAGAIN: return "the check could not be made: no local port left";
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC: return "the check could not be made: no memory left";
    default: return "no connection (errno " + std::to_string(error) + ")";
  }
}

bool same_endpoint(const ProbeTarget& a, const ProbeTarget& b) {
  return &a == &b || (a.host == b.host && a.port == b.port && a.kind == b.kind && a.scheme == b.scheme);
}

}  // namespace

SocketProbes::~SocketProbes() {
  for (Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
}

void SocketProbes::start(Slot slot, std::shared_ptr<const ProbeTarget> target) {
  if (slot >= connections_.size()) connections_.resize(slot + 1);
  Connection& connection = connections_[slot];
  AZORA_ASSERT(connection.exchange == nullptr);
  if (connection.fd >= 0 && !same_endpoint(*connection.target, *target)) close_socket(connection, slot);
  connection.target = std::move(target);
  connection.exchange = take_exchange();
  connection.exchange->response.begin(connection.target->method == "HEAD");
  connection.keep = connection.target->kind == ProbeKind::http && repeatable(connection.target->method);
  connection.reused = connection.fd >= 0;
  if (connection.reused) {
    leave_idle(slot);
    ProberCounters::add(counters_.reused);
    send_request(slot);
  } else {
    connection.stage = Stage::resolving;
    owner_.on_need_addresses(slot);
  }
}

void SocketProbes::connect(Slot slot, std::vector<net::Address> addresses) {
  Connection& connection = connections_[slot];
  if (connection.stage != Stage::resolving) return;
  connection.exchange->addresses = std::move(addresses);
  connection.exchange->next_address = 0;
  // Only what can be kept is asked to stay.
  connection.keep = connection.keep && idle_count_ < max_idle_;
  connect_next(slot);
}

void SocketProbes::abort(Slot slot) {
  if (slot >= connections_.size()) return;
  Connection& connection = connections_[slot];
  if (connection.exchange == nullptr) return;
  close_socket(connection, slot);
  connection.stage = Stage::idle;
  if (pool_.size() < kPooledExchanges) pool_.push_back(std::move(connection.exchange));
  connection.exchange.reset();
}

void SocketProbes::forget(Slot slot) {
  if (slot >= connections_.size()) return;
  abort(slot);
  close_socket(connections_[slot], slot);
  connections_[slot].target.reset();
}

bool SocketProbes::connected(Slot slot) const {
  return slot < connections_.size() &&
         (connections_[slot].stage == Stage::sending || connections_[slot].stage == Stage::receiving);
}

void SocketProbes::on_event(Slot slot, std::uint32_t generation, std::uint32_t events, SteadyTime now) {
  if (slot >= connections_.size()) return;
  Connection& connection = connections_[slot];
  if (connection.fd < 0 || connection.generation != generation) return;
  constexpr std::uint32_t kGone = EPOLLERR | EPOLLHUP;
  switch (connection.stage) {
    case Stage::idle:
      // A kept connection has nothing to say: the peer closes it, or sends what nobody asked for.
      if ((events & (EPOLLIN | EPOLLRDHUP | kGone)) != 0) close_socket(connection, slot);
      return;
    case Stage::resolving: return;
    case Stage::connecting:
      if ((events & kGone) != 0) return connect_failed(slot, pending_error(connection));
      if ((events & EPOLLOUT) != 0) on_connected(slot, now);
      // What came together with the connection will not be told again.
      if (connection.stage == Stage::receiving && (events & (EPOLLIN | EPOLLRDHUP)) != 0) receive(slot, events, now);
      return;
    case Stage::sending:
      // It may answer (and refuse) before it has read all of the question.
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

void SocketProbes::connect_next(Slot slot) {
  Connection& connection = connections_[slot];
  Exchange& exchange = *connection.exchange;
  while (exchange.next_address < exchange.addresses.size()) {
    const net::Address address = exchange.addresses[exchange.next_address++];
    if (address.is_forbidden()) {
      exchange.forbidden = true;
      continue;
    }
    int error = 0;
    if (open_socket(slot, address, error)) {
      connection.stage = Stage::connecting;
      // On loopback the handshake is over by now: one wait less.
      if (connection.target->kind == ProbeKind::http && address.is_loopback()) send_request(slot);
      return;
    }
    if (is_ours(error)) return end(slot, {.outcome = Outcome::overloaded, .error = text_of(error)});
    exchange.last_error = error;
  }
  std::string error = exchange.last_error != 0 ? text_of(exchange.last_error)
                      : exchange.forbidden     ? std::string(kForbiddenAddress)
                                               : "no address to connect to";
  end(slot, {.outcome = Outcome::refused, .error = std::move(error)});
}

bool SocketProbes::open_socket(Slot slot, const net::Address& address, int& error) {
  Connection& connection = connections_[slot];
  int fd = -1;
  do {
    ProberCounters::add(counters_.sockets);
    fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = errno;
  } while (fd < 0 && (error == EMFILE || error == ENFILE) && give_up_an_idle_one());
  if (fd < 0) return false;
  connection.fd = fd;
  connection.generation = (connection.generation + 1) & 0x7fffffff;
  connection.exchange->sent = clock_();
  ProberCounters::add(counters_.connects);
  if (::connect(fd, address.data(), address.size()) != 0 && errno != EINPROGRESS) {
    error = errno;
    close_socket(connection, slot);
    return false;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = std::uint64_t{connection.generation} << 32 | slot;
  ProberCounters::add(counters_.epoll_ctls);
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    error = errno;
    close_socket(connection, slot);
    return false;
  }
  return true;
}

void SocketProbes::on_connected(Slot slot, SteadyTime now) {
  Connection& connection = connections_[slot];
  if (connection.target->kind == ProbeKind::http) return send_request(slot);
  if (met_itself(slot)) return;
  const Nanos latency = now - connection.exchange->sent;
  end(slot, {.outcome = Outcome::answered, .latency = latency, .error = {}});
}

// Nothing listens there: the socket that "connected" is our own, and would hold the service's port as well.
bool SocketProbes::met_itself(Slot slot) {
  Connection& connection = connections_[slot];
  const net::Address& address = connection.exchange->addresses[connection.exchange->next_address - 1];
  if (!address.is_loopback() || !net::connected_to_itself(connection.fd)) return false;
  connection.exchange->response.begin(connection.target->method == "HEAD");
  connect_failed(slot, ECONNREFUSED);
  return true;
}

void SocketProbes::connect_failed(Slot slot, int error) {
  Connection& connection = connections_[slot];
  close_socket(connection, slot);
  connection.exchange->last_error = error;
  connection.stage = Stage::resolving;
  connect_next(slot);
}

void SocketProbes::send_request(Slot slot) {
  Connection& connection = connections_[slot];
  write_request(*connection.target, connection.keep, request_);
  connection.exchange->sent = clock_();
  ProberCounters::add(counters_.sends);
  const ssize_t sent = ::send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  const int error = errno;
  if (sent < 0 && connection.stage == Stage::connecting) {
    if (error != EAGAIN) connect_failed(slot, error);
    return;  // EAGAIN: not connected yet, the event will come
  }
  connection.exchange->unsent.assign(sent < 0 ? request_ : request_.substr(static_cast<std::size_t>(sent)));
  on_sent(slot, request_.size(), sent, error);
}

void SocketProbes::send_rest(Slot slot) {
  Connection& connection = connections_[slot];
  std::string& unsent = connection.exchange->unsent;
  const std::size_t size = unsent.size();
  ProberCounters::add(counters_.sends);
  const ssize_t sent = ::send(connection.fd, unsent.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
  const int error = errno;
  if (sent > 0) unsent.erase(0, static_cast<std::size_t>(sent));
  on_sent(slot, size, sent, error);
}

void SocketProbes::on_sent(Slot slot, std::size_t size, std::ptrdiff_t sent, int error) {
  if (sent < 0 && error != EAGAIN) return on_broken(slot, error);
  connections_[slot].stage = sent == static_cast<std::ptrdiff_t>(size) ? Stage::receiving : Stage::sending;
}

void SocketProbes::receive(Slot slot, std::uint32_t events, SteadyTime now) {
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
    // Less than there was room for: the socket is empty and the next edge will tell. Unless the end of the
    // stream was already told.
    if (static_cast<std::size_t>(got) < buffer_.size() && !hung_up) return;
  }
}

// The connection broke, or ended (error 0) before the first byte of an answer.
void SocketProbes::on_broken(Slot slot, int error) {
  Connection& connection = connections_[slot];
  const bool started = connection.exchange->response.started();
  close_socket(connection, slot);
  if (connection.reused && !started) {
    // The peer had closed the kept connection: our question never reached it. Ask once more, anew.
    connection.reused = false;
    connection.exchange->unsent.clear();
    connection.stage = Stage::resolving;
    ProberCounters::add(counters_.retries);
    return owner_.on_need_addresses(slot);
  }
  if (error == 0) {
    return end(slot, {.outcome = Outcome::protocol_error, .error = "the connection was closed without an answer"});
  }
  end(slot, {.outcome = started ? Outcome::protocol_error : Outcome::refused,
             .error = started ? "connection reset in the middle of the answer" : text_of(error)});
}

void SocketProbes::finish_answer(Slot slot, SteadyTime now, bool hung_up) {
  Connection& connection = connections_[slot];
  const HttpResponse& response = connection.exchange->response;
  ProbeEnd result;
  result.latency = std::max(Nanos(0), now - connection.exchange->sent);
  if (response.problem()[0] != '\0') {
    if (!connection.reused && met_itself(slot)) return;  // it read its own question
    result.outcome = Outcome::protocol_error;
    result.error = response.problem();
  } else {
    result.outcome = Outcome::answered;
    result.http_status = response.status();
    if (!response.body().empty()) {
      BodyFigures figures = read_figures(response.body());
      result.cpu = std::move(figures.cpu);
      result.memory = std::move(figures.memory);
    }
    const bool all_sent = connection.stage == Stage::receiving;
    if (connection.keep && all_sent && !hung_up && response.reusable() && idle_count_ < max_idle_) {
      keep_idle(slot);
    }
  }
  end(slot, std::move(result));
}

void SocketProbes::end(Slot slot, ProbeEnd result) {
  Connection& connection = connections_[slot];
  if (!connection.in_idle) close_socket(connection, slot);
  connection.stage = Stage::idle;
  if (pool_.size() < kPooledExchanges) pool_.push_back(std::move(connection.exchange));
  connection.exchange.reset();
  owner_.on_end(slot, std::move(result));
}

int SocketProbes::pending_error(const Connection& connection) const {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error != 0 ? error : ECONNRESET;
}

void SocketProbes::close_socket(Connection& connection, Slot slot) {
  if (connection.fd < 0) return;
  leave_idle(slot);
  ProberCounters::add(counters_.closes);
  ::close(connection.fd);  // leaves the epoll set by itself
  connection.fd = -1;
}

void SocketProbes::keep_idle(Slot slot) {
  Connection& connection = connections_[slot];
  connection.in_idle = true;
  connection.older = newest_idle_;
  connection.newer = kNone;
  (newest_idle_ != kNone ? connections_[newest_idle_].newer : oldest_idle_) = slot;
  newest_idle_ = slot;
  ++idle_count_;
}

void SocketProbes::leave_idle(Slot slot) {
  Connection& connection = connections_[slot];
  if (!connection.in_idle) return;
  (connection.older != kNone ? connections_[connection.older].newer : oldest_idle_) = connection.newer;
  (connection.newer != kNone ? connections_[connection.newer].older : newest_idle_) = connection.older;
  connection.in_idle = false;
  --idle_count_;
}

bool SocketProbes::give_up_an_idle_one() {
  if (oldest_idle_ == kNone) return false;
  close_socket(connections_[oldest_idle_], oldest_idle_);
  return true;
}

std::unique_ptr<SocketProbes::Exchange> SocketProbes::take_exchange() {
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
