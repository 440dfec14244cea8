#pragma once
// Which of the sockets that listen on a port a client of the service would reach, and what that means. Pure.
// The kernel takes the socket that fits best: one at exactly that address before one at all addresses, and for IPv4
// an AF_INET socket before an AF_INET6 socket that takes both. Several sockets that fit equally well (SO_REUSEPORT)
// share the clients. `localhost` is asked by IPv4 first and by IPv6 only when nothing listens there, as checks do.
// Threads: any. Fails: never.
#include <string>
#include <vector>

#include "azora/listeners/listener.hpp"
#include "azora/listeners/question.hpp"

namespace azora::listeners {

// Who holds a socket.
class Owners {
 public:
  enum class Whose { service, other, unknown };
  virtual ~Owners() = default;
  virtual Whose whose(const Listener& listener) = 0;
  // The holder of another program's socket, in words: "pid 123 (python3)".
  virtual std::string holder(const Listener& listener) = 0;
};

// The listeners that a client reaches first, and those it reaches without these (for `localhost` alone).
struct Reached {
  std::vector<Listener> first;
  std::vector<Listener> then;
};
Reached reached(const LocalAddress& address, const std::vector<Listener>& on_port);

// `on_port`: all listeners on the port of the question.
Answer decide(const Question& question, const std::vector<Listener>& on_port, Owners& owners);

}  // namespace azora::listeners
