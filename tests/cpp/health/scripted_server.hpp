#pragma once
// A TCP server on loopback that behaves as a test says: one function per connection, on a thread of its own.
// Threads: made, used and destroyed on the test's thread; `behave` runs on the connections' threads.
// Ownership: everything ends with the server: stop is told through Peer, then the threads are joined.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "azora/base/mutex.hpp"

namespace azora::health {

// One accepted connection, as a behaviour sees it.
class Peer {
 public:
  Peer(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {}
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // One request up to its empty line; empty when the connection ended or the server stops.
  std::string request() {
    while (true) {
      const std::size_t end = seen_.find("\r\n\r\n");
      if (end != std::string::npos) {
        std::string out = seen_.substr(0, end + 4);
        seen_.erase(0, end + 4);
        return out;
      }
      if (!wait(POLLIN, -1)) return {};
      char buffer[4096];
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return {};
      seen_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  // False when the other side is gone or the server stops.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!wait(POLLOUT, -1)) return false;
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Lets `ms` pass; false when the server stops meanwhile.
  bool pause(int ms) {
    pollfd stop{stop_fd_, POLLIN, 0};
    return ::poll(&stop, 1, ms) == 0;
  }
  // Until the other side closes or the server stops; what it sends is thrown away.
  void wait_for_end() {
    char buffer[4096];
    while (wait(POLLIN, -1) && ::recv(fd_, buffer, sizeof buffer, 0) > 0) {
    }
  }
  void shut_down() { ::shutdown(fd_, SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  bool wait(short what, int ms) {
    pollfd both[2] = {{fd_, what, 0}, {stop_fd_, POLLIN, 0}};
    return ::poll(both, 2, ms) > 0 && (both[1].revents & POLLIN) == 0;
  }

  int fd_;
  int stop_fd_;
  std::string seen_;
};

class ScriptedServer {
 public:
  using Behaviour = std::function<void(Peer&)>;

  // Family AF_INET or AF_INET6.
  explicit ScriptedServer(Behaviour behave, int family = AF_INET)
      : behave_(std::move(behave)),
        listener_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        stop_fd_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = family == AF_INET6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
    socklen_t size = family == AF_INET6 ? sizeof v6 : sizeof v4;
    usable_ = ::bind(listener_, address, size) == 0 && ::listen(listener_, 1024) == 0 &&
              ::getsockname(listener_, address, &size) == 0;
    port_ = ntohs(family == AF_INET6 ? v6.sin6_port : v4.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    const std::uint64_t one = 1;
    static_cast<void>(!::write(stop_fd_, &one, sizeof one));
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
    ::close(listener_);
    ::close(stop_fd_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // Connections that are open are served on; new ones are refused.
  void stop_listening() { ::shutdown(listener_, SHUT_RD); }
  bool usable() const { return usable_; }  // false: no such address family here
  std::uint16_t port() const { return port_; }
  int accepted() const { return accepted_.load(); }

  // Answers every request on every connection with `answer`.
  static Behaviour always(std::string answer) {
    return [answer = std::move(answer)](Peer& peer) {
      while (!peer.request().empty() && peer.send(answer)) {
      }
    };
  }

 private:
  void accept_all() {
    while (true) {
      pollfd both[2] = {{listener_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
      ::poll(both, 2, -1);
      if ((both[1].revents & POLLIN) != 0) return;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0 && errno == EINVAL) {  // it listens no more
        ::poll(both + 1, 1, -1);
        return;
      }
      if (fd < 0) continue;
      ++accepted_;
      connections_.emplace_back([this, fd] {
        Peer peer(fd, stop_fd_);
        behave_(peer);
      });
    }
  }

  Behaviour behave_;
  int listener_;
  int stop_fd_;
  bool usable_ = false;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::thread acceptor_;
  std::list<std::thread> connections_;
};

}  // namespace azora::health
