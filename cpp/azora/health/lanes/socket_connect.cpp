// How a socket lane gets a connection: it tries one address after the other.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "azora/health/http_request.hpp"
#include "azora/health/lanes/socket_errors.hpp"
#include "azora/health/lanes/socket_lane.hpp"

namespace azora::health {

void SocketLane::connect_next(Slot slot) {
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
      // On a loopback the handshake is over by now, though connect() does not say so.
      if (connection.target->kind == ProbeKind::http && address.is_loopback()) return send_request(slot);
      if (watch(slot)) return;
      error = errno;
      close_socket(slot);
    }
    if (is_shortage(error)) return end(slot, {.outcome = Outcome::overloaded, .error = socket_error_words(error)});
    exchange.last_error = error;
  }
  std::string error = exchange.last_error != 0 ? socket_error_words(exchange.last_error)
                      : exchange.forbidden     ? std::string(kForbiddenAddress)
                                               : "no address to connect to";
  end(slot, {.outcome = Outcome::refused, .error = std::move(error)});
}

// False when the socket cannot be used; `error` says why.
bool SocketLane::open_socket(Slot slot, const net::Address& address, int& error) {
  Connection& connection = connections_[slot];
  int fd = -1;
  do {
    ProberCounters::add(counters_.sockets);
    fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = errno;
  } while (fd < 0 && (error == EMFILE || error == ENFILE) && give_up_an_idle_one());
  if (fd < 0) return false;
  connection.fd = fd;
  connection.watched = false;
  connection.generation = (connection.generation + 1) & kGenerations;
  connection.exchange->sent = world_.clock();
  ProberCounters::add(counters_.connects);
  if (::connect(fd, address.data(), address.size()) == 0 || errno == EINPROGRESS) return true;
  error = errno;
  close_socket(slot);
  return false;
}

// False: the kernel has no room for it; errno says why.
bool SocketLane::watch(Slot slot) {
  Connection& connection = connections_[slot];
  if (connection.watched) return true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = world_.event_tag | std::uint64_t{connection.generation} << 32 | slot;
  ProberCounters::add(counters_.epoll_ctls);
  connection.watched = ::epoll_ctl(world_.epoll_fd, EPOLL_CTL_ADD, connection.fd, &event) == 0;
  return connection.watched;
}

void SocketLane::on_connected(Slot slot, SteadyTime now) {
  Connection& connection = connections_[slot];
  if (connection.target->kind == ProbeKind::http) return send_request(slot);
  if (met_itself(slot)) return;
  const Nanos latency = now - connection.exchange->sent;
  end(slot, {.outcome = Outcome::answered, .latency = latency, .error = {}});
}

void SocketLane::connect_failed(Slot slot, int error) {
  Connection& connection = connections_[slot];
  close_socket(slot);
  connection.exchange->last_error = error;
  connection.stage = Stage::resolving;
  connect_next(slot);
}

// True when nothing listens there: our socket has connected to itself, and would hold the service's port as well.
bool SocketLane::met_itself(Slot slot) {
  Connection& connection = connections_[slot];
  const net::Address& address = connection.exchange->addresses[connection.exchange->next_address - 1];
  if (!address.is_loopback() || !net::connected_to_itself(connection.fd)) return false;
  connection.exchange->response.begin(connection.target->method == "HEAD");
  connect_failed(slot, ECONNREFUSED);
  return true;
}

int SocketLane::pending_error(const Connection& connection) const {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error != 0 ? error : ECONNRESET;
}

bool SocketLane::give_up_an_idle_one() {
  if (idle_.size() == 0) return false;
  close_socket(idle_.oldest());
  return true;
}

}  // namespace azora::health
