#pragma once
// HTTPS requests over libcurl, driven by the caller's epoll set: the one place that knows curl. No redirects,
// no proxy, no encodings, HTTP/1.1, certificates checked against SSL_CERT_FILE or the system's bundle; at
// most 16 KiB of headers and 64 KiB of body are taken, counted here because curl's own limits do not hold.
// Targets are spread over multi handles of at most 32: curl scans all of one handle on every transfer.
// Threads: one at a time (the net thread). Ownership: a target's handle and kept connection live until
// forget(). Fails: every started request gets one Done, unless cancelled.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/net/address.hpp"

namespace azora::net {

class HttpsClient {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
  static constexpr std::size_t kMaxBodyBytes = 64 * 1024;
  static constexpr int kMaxInterim = 8;
  static constexpr std::size_t kTargetsPerMulti = 32;

  enum class End : std::uint8_t { answered, refused, protocol_error, overloaded };

  struct Request {
    std::uint32_t target = 0;          // the caller's index; key of the kept connection
    std::string url;                   // https://host:port/path
    std::string host;
    std::uint16_t port = 0;
    std::string method;
    std::vector<std::string> headers;  // "Name: value"
    std::vector<Address> addresses;    // in the order to try; all allowed
  };
  struct Done {
    std::uint32_t target = 0;
    End end = End::refused;
    int status = 0;
    Nanos latency{0};  // from the request's sending to the end of the answer
    std::string body;  // of a 2xx answer within the cap that begins like a JSON object
    const char* error = "";
  };
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
