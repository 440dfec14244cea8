#pragma once
// HTTPS requests over libcurl, driven by the caller's epoll set: the pool of curl's handles. No redirects,
// no proxy, no encodings, HTTP/1.1, certificates checked against SSL_CERT_FILE or the system's bundle (how one request
// is made and its answer taken: https_transfer.hpp).
// Targets are spread over multi handles of at most 32: curl scans all of one handle on every transfer.
// Threads: one at a time (the net thread). Ownership: a target's handle and kept connection live until
// forget(). Fails: every started request gets one Done, unless cancelled.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/net/https_exchange.hpp"

namespace azora::net {

class HttpsClient {
 public:
  static constexpr std::size_t kTargetsPerMulti = 32;

  using End = HttpsEnd;
  using Request = HttpsRequest;
  using Done = HttpsDone;
  using OnDone = std::function<void(Done)>;

  // Sockets are added to `epoll_fd` with event data `event_tag | multi << 32 | fd`.
  HttpsClient(int epoll_fd, std::uint64_t event_tag, OnDone on_done);
  ~HttpsClient();
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;

  void start(const Request& request, SteadyTime now);
  // Ends the open request of a target without a Done; its connection is closed.
  void cancel(std::uint32_t target);
  // Drops all of a target.
  void forget(std::uint32_t target);
  void on_event(std::uint64_t event_data, std::uint32_t events, SteadyTime now);
  std::optional<SteadyTime> next() const;
  void advance(SteadyTime now);

 private:
  struct Multi;
  struct Transfer;

  void drop(std::uint32_t target);
  Multi& multi_with_room();
  void collect(Multi& multi);

  int epoll_fd_;
  std::uint64_t event_tag_;
  OnDone on_done_;
  std::string ca_file_;  // empty: curl's own
  SteadyTime now_{};
  std::vector<std::unique_ptr<Multi>> multis_;
  std::unordered_map<std::uint32_t, std::unique_ptr<Transfer>> transfers_;
};

}  // namespace azora::net
