#pragma once
// http:// and tcp:// probes over plain sockets: connections kept per target and registered once, edge-
// triggered, in the caller's epoll set; a kept-alive check costs one send and one recv. An idle target costs
// one Connection (and the kernel's socket); buffers belong to open exchanges, which are pooled.
// Threads: the net thread. Ownership: sockets live here; closed at the latest with this.
// Fails: every start() gets one on_end(), unless abort() or forget() came first. Deadlines are the owner's.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/health/http_response.hpp"
#include "azora/health/prober.hpp"
#include "azora/health/prober_counters.hpp"
#include "azora/net/address.hpp"

namespace azora::health {

// How one probe ended.
struct ProbeEnd {
  Outcome outcome = Outcome::cancelled;
  int http_status = 0;
  Nanos latency{0};
  std::string error{};
  std::shared_ptr<const std::string> cpu{};
  std::shared_ptr<const std::string> memory{};
};

class SocketProbes {
 public:
  using Slot = std::uint32_t;  // the owner's index of a target

  class Owner {
   public:
    virtual void on_end(Slot slot, ProbeEnd end) = 0;
    // There is no kept connection: answer with connect(), now or later.
    virtual void on_need_addresses(Slot slot) = 0;

   protected:
    ~Owner() = default;
  };

  using Clock = SteadyTime (*)();
  // Sockets are added to `epoll_fd` with event data `generation << 32 | slot`, generation < 2^31.
  SocketProbes(int epoll_fd, std::size_t max_idle, Clock clock, Owner& owner, ProberCounters& counters)
      : epoll_fd_(epoll_fd), max_idle_(max_idle), clock_(clock), owner_(owner), counters_(counters) {}
  ~SocketProbes();
  SocketProbes(const SocketProbes&) = delete;
  SocketProbes& operator=(const SocketProbes&) = delete;

  void start(Slot slot, std::shared_ptr<const ProbeTarget> target);
  void connect(Slot slot, std::vector<net::Address> addresses);
  // Ends the open probe without on_end(); its connection is closed.
  void abort(Slot slot);
  // Drops all of a target.
  void forget(Slot slot);
  // `now`: when epoll returned.
  void on_event(Slot slot, std::uint32_t generation, std::uint32_t events, SteadyTime now);

  // Whether the open probe already has a connection: for the words of a timeout.
  bool connected(Slot slot) const;
  std::size_t idle_count() const { return idle_count_; }

 private:
  enum class Stage : std::uint8_t { idle, resolving, connecting, sending, receiving };

  struct Exchange {
    HttpResponse response;
    std::vector<net::Address> addresses;
    std::string unsent;
    SteadyTime sent{};
    std::size_t next_address = 0;
    int last_error = 0;
    bool forbidden = false;  // an address was not allowed
  };
  struct Connection {
    std::shared_ptr<const ProbeTarget> target;
    std::unique_ptr<Exchange> exchange;
    int fd = -1;
    std::uint32_t generation = 0;  // of the descriptor: late events of an older one are ignored
    Slot older = kNone;            // neighbours in the list of idle connections
    Slot newer = kNone;
    Stage stage = Stage::idle;
    bool reused = false;    // this exchange goes over a kept connection
    bool keep = false;      // we asked to keep it
    bool in_idle = false;
  };
  static constexpr Slot kNone = UINT32_MAX;

  void connect_next(Slot slot);
  // False when the socket cannot be used; `error` says why.
  bool open_socket(Slot slot, const net::Address& address, int& error);
  void on_connected(Slot slot, SteadyTime now);
  void connect_failed(Slot slot, int error);
  void send_request(Slot slot);
  void send_rest(Slot slot);
  void on_sent(Slot slot, std::size_t size, std::ptrdiff_t sent, int error);
  void receive(Slot slot, std::uint32_t events, SteadyTime now);
  void on_broken(Slot slot, int error);
  bool met_itself(Slot slot);
  void finish_answer(Slot slot, SteadyTime now, bool hung_up);
  void end(Slot slot, ProbeEnd result);
  int pending_error(const Connection& connection) const;
  void close_socket(Connection& connection, Slot slot);
  void keep_idle(Slot slot);
  void leave_idle(Slot slot);
  bool give_up_an_idle_one();
  std::unique_ptr<Exchange> take_exchange();

  int epoll_fd_;
  std::size_t max_idle_;
  Clock clock_;
  Owner& owner_;
  ProberCounters& counters_;
  std::vector<Connection> connections_;  // by slot
  std::vector<std::unique_ptr<Exchange>> pool_;
  std::string request_;  // being built
  std::vector<char> buffer_ = std::vector<char>(16 * 1024);
  Slot oldest_idle_ = kNone;
  Slot newest_idle_ = kNone;
  std::size_t idle_count_ = 0;
};

}  // namespace azora::health
