#include "azora/net/https_client.hpp"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "azora/net/https_transfer.hpp"

namespace azora::net {
namespace {

std::string find_ca_file() {
  const char* configured = std::getenv("SSL_CERT_FILE");
  if (configured != nullptr && *configured != '\0') return configured;
  for (const char* path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                           "/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
                           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (access(path, R_OK) == 0) return path;
  }
  return {};
}

}  // namespace

struct HttpsClient::Multi {
  HttpsClient* client = nullptr;
  CURLM* handle = nullptr;
  std::uint32_t index = 0;
  std::size_t targets = 0;
  std::optional<SteadyTime> due;

  Multi() = default;
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi() { curl_multi_cleanup(handle); }

  void open() {
    handle = curl_multi_init();
    curl_multi_setopt(handle, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(handle, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(handle, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(handle, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(handle, CURLMOPT_PIPELINING, 0L);
    curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS, static_cast<long>(kTargetsPerMulti));
  }
  void reopen() {
    curl_multi_cleanup(handle);
    due.reset();
    open();
  }

  static int on_timer(CURLM*, long timeout_ms, void* self) {
    auto& multi = *static_cast<Multi*>(self);
    multi.due.reset();
    if (timeout_ms >= 0) multi.due = multi.client->now_ + Millis(timeout_ms);
    return 0;
  }

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
    auto& multi = *static_cast<Multi*>(self);
    const int epoll_fd = multi.client->epoll_fd_;
    if (what == CURL_POLL_REMOVE) {
      epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, nullptr);
      curl_multi_assign(multi.handle, fd, nullptr);
      return 0;
    }
    epoll_event event{};
    if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
    event.data.u64 = multi.client->event_tag_ | std::uint64_t{multi.index} << 32 | static_cast<std::uint32_t>(fd);
    const int operation = known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(epoll_fd, operation, fd, &event) != 0 && operation == EPOLL_CTL_MOD && errno == ENOENT) {
      epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
    curl_multi_assign(multi.handle, fd, self);
    return 0;
  }
};

struct HttpsClient::Transfer {
  explicit Transfer(std::uint32_t target) : https(target) {}
  HttpsTransfer https;
  Multi* multi = nullptr;
  bool open = false;
};

HttpsClient::HttpsClient(int epoll_fd, std::uint64_t event_tag, OnDone on_done)
    : epoll_fd_(epoll_fd), event_tag_(event_tag), on_done_(std::move(on_done)), ca_file_(find_ca_file()) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(ready);
}

HttpsClient::~HttpsClient() {
  while (!transfers_.empty()) drop(transfers_.begin()->first);
}

void HttpsClient::start(const Request& request, SteadyTime now) {
  now_ = now;
  auto& slot = transfers_[request.target];
  if (!slot) {
    slot = std::make_unique<Transfer>(request.target);
    if (!slot->https.configure(ca_file_)) {
      transfers_.erase(request.target);
      on_done_({.target = request.target, .end = End::overloaded, .body = {}, .error = "out of memory"});
      return;
    }
    slot->multi = &multi_with_room();
    ++slot->multi->targets;
  }
  slot->https.begin(request);
  slot->open = true;
  curl_multi_add_handle(slot->multi->handle, slot->https.handle());
}

void HttpsClient::cancel(std::uint32_t target) {
  const auto found = transfers_.find(target);
  if (found == transfers_.end() || !found->second->open) return;
  curl_multi_remove_handle(found->second->multi->handle, found->second->https.handle());
  found->second->open = false;
}

void HttpsClient::forget(std::uint32_t target) {
  const auto found = transfers_.find(target);
  if (found == transfers_.end()) return;
  Multi& multi = *found->second->multi;
  drop(target);
  // Kept connections belong to the multi handle: all are closed with its last target.
  if (multi.targets == 0) multi.reopen();
}

void HttpsClient::drop(std::uint32_t target) {
  const auto found = transfers_.find(target);
  const Transfer& transfer = *found->second;
  if (transfer.open) curl_multi_remove_handle(transfer.multi->handle, transfer.https.handle());
  --transfer.multi->targets;
  transfers_.erase(found);
}

void HttpsClient::on_event(std::uint64_t event_data, std::uint32_t events, SteadyTime now) {
  now_ = now;
  const std::uint64_t rest = event_data & ~event_tag_;
  const std::size_t index = rest >> 32;
  if (index >= multis_.size()) return;
  int mask = 0;
  if ((events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
  int running = 0;
  curl_multi_socket_action(multis_[index]->handle, static_cast<curl_socket_t>(rest & UINT32_MAX), mask, &running);
  collect(*multis_[index]);
}

std::optional<SteadyTime> HttpsClient::next() const {
  std::optional<SteadyTime> first;
  for (const auto& multi : multis_) {
    if (multi->due && (!first || *multi->due < *first)) first = multi->due;
  }
  return first;
}

void HttpsClient::advance(SteadyTime now) {
  now_ = now;
  for (const auto& multi : multis_) {
    if (!multi->due || *multi->due > now) continue;
    multi->due.reset();
    int running = 0;
    curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(*multi);
  }
}

HttpsClient::Multi& HttpsClient::multi_with_room() {
  for (const auto& multi : multis_) {
    if (multi->targets < kTargetsPerMulti) return *multi;
  }
  auto multi = std::make_unique<Multi>();
  multi->client = this;
  multi->index = static_cast<std::uint32_t>(multis_.size());
  multi->open();
  multis_.push_back(std::move(multi));
  return *multis_.back();
}

void HttpsClient::collect(Multi& multi) {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.handle, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    const std::uint32_t target = HttpsTransfer::of(message->easy_handle).target();
    Transfer& transfer = *transfers_.at(target);
    curl_multi_remove_handle(multi.handle, transfer.https.handle());
    transfer.open = false;
    on_done_(transfer.https.finish(code));
  }
}

}  // namespace azora::net
