#pragma once
// http:// and tcp:// probes over plain sockets. A check by a new connection is connect, send, recv, close; one over a
// kept connection is send and recv, its descriptor being registered once, edge-triggered, in the worker's epoll set.
// After a complete answer we close first, so that TIME_WAIT is ours and the service can bind its port again at once;
// where the service has closed first, its end is read and ours is a reset.
// An idle target costs one Connection (and the kernel's socket); buffers belong to open exchanges, which are pooled.
// Threads: the net thread. Ownership: sockets live here. Fails: as of Lane.
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "azora/health/http_response.hpp"
#include "azora/health/idle_list.hpp"
#include "azora/health/lanes/lane.hpp"
#include "azora/health/reuse.hpp"

namespace azora::health {

class SocketLane : public Lane {
 public:
  explicit SocketLane(const World& world) : world_(world), host_(*world.host), counters_(*world.counters) {}
  ~SocketLane() override;
  SocketLane(const SocketLane&) = delete;
  SocketLane& operator=(const SocketLane&) = delete;

  void start(Slot slot, const std::shared_ptr<const ProbeTarget>& target) override;
  void addresses(Slot slot, std::vector<net::Address>& found) override;
  void cancel(Slot slot) override;
  void forget(Slot slot) override;
  void on_event(std::uint64_t data, std::uint32_t events, SteadyTime now) override;
  void look(SteadyTime now) override;
  std::optional<SteadyTime> next() const override;
  void advance(SteadyTime now) override;
  bool connected(Slot slot) const override;

 private:
  static constexpr std::uint32_t kGenerations = 0xffffff;  // what fits between slot and tag
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
    Stage stage = Stage::idle;
    ReuseCount reuse;
    bool reused = false;   // this exchange goes over a kept connection
    bool keep = false;     // we asked to keep it
    bool watched = false;  // in the epoll set
    bool ending = false;   // answered; the peer said that it closes
  };
  struct Ending {
    Slot slot;
    std::uint32_t generation;
    SteadyTime until;
  };
  // Sent, and not yet looked at.
  struct Unwatched {
    Slot slot;
    std::uint32_t generation;
  };

  void connect_next(Slot slot);
  bool open_socket(Slot slot, const net::Address& address, int& error);
  bool watch(Slot slot);
  void on_connected(Slot slot, SteadyTime now);
  void connect_failed(Slot slot, int error);
  bool met_itself(Slot slot);
  void send_request(Slot slot);
  void send_rest(Slot slot);
  void on_sent(Slot slot, std::size_t size, std::ptrdiff_t sent, int error);
  void receive(Slot slot, std::uint32_t events, SteadyTime now);
  void on_broken(Slot slot, int error);
  void finish_answer(Slot slot, SteadyTime now, bool hung_up);
  bool peer_has_closed(const Connection& connection);
  void await_end(Slot slot, SteadyTime now);
  void end(Slot slot, ProbeEnd result);
  void give_back(Connection& connection);
  int pending_error(const Connection& connection) const;
  void close_socket(Slot slot, bool by_reset = false);
  bool give_up_an_idle_one();
  std::unique_ptr<Exchange> take_exchange();

  World world_;
  Host& host_;
  ProberCounters& counters_;
  std::vector<Connection> connections_;  // by slot
  std::vector<Unwatched> unwatched_;
  std::vector<Unwatched> looking_at_;
  std::deque<Ending> endings_;  // in the order of their time
  std::vector<std::unique_ptr<Exchange>> pool_;
  std::string request_;  // being built
  std::vector<char> buffer_ = std::vector<char>(16 * 1024);
  IdleList idle_;
};

}  // namespace azora::health
