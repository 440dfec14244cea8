#include "azora/net/https_client.hpp"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>

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

bool starts_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
         });
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
  CURL* easy = nullptr;
  Multi* multi = nullptr;
  curl_slist* headers = nullptr;
  curl_slist* resolve = nullptr;
  std::string resolved;  // the entry `resolve` holds
  std::string body;
  const char* problem = nullptr;  // why we broke it off
  std::size_t header_bytes = 0;
  std::size_t body_bytes = 0;
  std::uint32_t target = 0;
  int answers = 0;  // status lines seen
  int status = 0;
  bool has_length = false;
  bool has_coding = false;
  bool truncated = false;
  bool keep_body = true;
  bool expect_status = true;  // the next line begins an answer (or a trailer)
  bool open = false;

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (easy != nullptr) {
      if (open) curl_multi_remove_handle(multi->handle, easy);
      curl_easy_cleanup(easy);
      --multi->targets;
    }
    curl_slist_free_all(headers);
    curl_slist_free_all(resolve);
  }

  void begin() {
    body.clear();
    body.shrink_to_fit();
    problem = nullptr;
    header_bytes = body_bytes = 0;
    answers = status = 0;
    has_length = has_coding = truncated = false;
    keep_body = expect_status = true;
  }

  // One line with its end. Returning less than it got makes curl give up.
  std::size_t on_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kMaxHeaderBytes) return refuse("headers beyond 16 KiB");
    if (line.size() < 2 || line.substr(line.size() - 2) != "\r\n") return refuse("a line ends without CR LF");
    const std::string_view text = line.substr(0, line.size() - 2);
    if (text.empty()) {
      expect_status = true;
      return line.size();
    }
    if (text.front() == ' ' || text.front() == '\t') return refuse("a header is folded");
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
    if (std::any_of(text.begin(), text.end(), control)) return refuse("a header holds control bytes");
    if (text.substr(0, 5) == "HTTP/") {
      return expect_status ? on_status_line(line, text) : refuse("a header name is malformed");
    }
    if (starts_ignoring_case(text, "content-length:")) {
      if (has_length) return refuse("Content-Length is given twice");
      has_length = true;
    } else if (starts_ignoring_case(text, "transfer-encoding:")) {
      has_coding = true;
    }
    if (has_length && has_coding) return refuse("both Content-Length and Transfer-Encoding");
    return line.size();
  }
  std::size_t on_status_line(std::string_view line, std::string_view text) {
    has_length = has_coding = expect_status = false;
    if (++answers > kMaxInterim + 1) return refuse("too many interim answers");
    const std::size_t code = text.find(' ');
    status = code == std::string_view::npos ? 0 : std::atoi(text.data() + code + 1);
    return line.size();
  }
  std::size_t on_body(std::string_view piece) {
    body_bytes += piece.size();
    if (body_bytes > kMaxBodyBytes) {
      truncated = true;
      body.clear();
      return 0;
    }
    if (!keep_body) return piece.size();
    if (body.empty()) {
      const std::size_t begin = piece.find_first_not_of(" \t\r\n");
      if (begin == std::string_view::npos) return piece.size();
      keep_body = piece[begin] == '{' && status >= 200 && status <= 299;
      if (keep_body) body.assign(piece.substr(begin));
    } else {
      body.append(piece);
    }
    return piece.size();
  }
  std::size_t refuse(const char* why) {
    problem = why;
    return 0;
  }

  static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->on_header({data, size * count});
  }
  static std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<Transfer*>(self)->on_body({data, size * count});
  }

  void configure(const std::string& ca_file) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16'384L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &header_callback);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &body_callback);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  }

  void apply(const Request& request) {
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    const bool head = request.method == "HEAD";
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);  // undoes the method of the last request
    if (head) {
      curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request.method != "GET") {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, head || request.method == "GET" ? nullptr : request.method.c_str());
    curl_slist_free_all(headers);
    headers = nullptr;
    for (const std::string& header : request.headers) headers = curl_slist_append(headers, header.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    set_addresses(request);
  }

  void set_addresses(const Request& request) {
    std::string entry = request.host + ":" + std::to_string(request.port) + ":";
    for (const Address& address : request.addresses) {
      if (entry.back() != ':') entry += ',';
      const std::string text = address.text();
      entry += address.family() == AF_INET6 ? "[" + text + "]" : text;
    }
    const bool numeric = Address::parse(request.host, 0).has_value();
    if (numeric || entry == resolved) return;
    resolved = entry;
    curl_slist_free_all(resolve);
    resolve = curl_slist_append(nullptr, entry.c_str());
    curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
  }

  Done finish(CURLcode code) {
    Done done;
    done.target = target;
    curl_off_t total = 0;
    curl_off_t before_sending = 0;
    curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total);
    curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &before_sending);
    done.latency = Micros(total - before_sending);
    if (problem != nullptr) {
      done.end = End::protocol_error;
      done.error = problem;
    } else if (code == CURLE_OK || truncated) {
      done.end = End::answered;
      done.status = status;
      done.body = std::move(body);
    } else {
      done.end = end_of(code);
      done.error = code == CURLE_PEER_FAILED_VERIFICATION ? "the certificate is not trusted, or is for another name"
                                                          : curl_easy_strerror(code);  // speaks of SSH keys there
    }
    return done;
  }
  End end_of(CURLcode code) const {
    long os_error = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
    const bool connecting = code == CURLE_COULDNT_CONNECT || code == CURLE_FAILED_INIT;
    if (code == CURLE_OUT_OF_MEMORY || (connecting && (os_error == EMFILE || os_error == ENFILE ||
                                                       os_error == ENOBUFS || os_error == EADDRNOTAVAIL))) {
      return End::overloaded;
    }
    switch (code) {
      case CURLE_WEIRD_SERVER_REPLY:
      case CURLE_UNSUPPORTED_PROTOCOL:
      case CURLE_HTTP2:
      case CURLE_PARTIAL_FILE:
      case CURLE_GOT_NOTHING:
      case CURLE_RECV_ERROR:
      case CURLE_BAD_CONTENT_ENCODING:
      case CURLE_WRITE_ERROR: return answers > 0 || code != CURLE_RECV_ERROR ? End::protocol_error : End::refused;
      default: return End::refused;
    }
  }
};

HttpsClient::HttpsClient(int epoll_fd, std::uint64_t event_tag, OnDone on_done)
    : epoll_fd_(epoll_fd), event_tag_(event_tag), on_done_(std::move(on_done)), ca_file_(find_ca_file()) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(ready);
}

HttpsClient::~HttpsClient() { transfers_.clear(); }

void HttpsClient::start(const Request& request, SteadyTime now) {
  now_ = now;
  auto& slot = transfers_[request.target];
  if (!slot) {
    slot = std::make_unique<Transfer>();
    slot->target = request.target;
    slot->multi = &multi_with_room();
    slot->easy = curl_easy_init();
    if (slot->easy == nullptr) {
      transfers_.erase(request.target);
      on_done_({.target = request.target, .end = End::overloaded, .body = {}, .error = "out of memory"});
      return;
    }
    ++slot->multi->targets;
    slot->configure(ca_file_);
  }
  slot->begin();
  slot->apply(request);
  slot->open = true;
  curl_multi_add_handle(slot->multi->handle, slot->easy);
}

void HttpsClient::cancel(std::uint32_t target) {
  const auto found = transfers_.find(target);
  if (found == transfers_.end() || !found->second->open) return;
  curl_multi_remove_handle(found->second->multi->handle, found->second->easy);
  found->second->open = false;
}

void HttpsClient::forget(std::uint32_t target) {
  const auto found = transfers_.find(target);
  if (found == transfers_.end()) return;
  Multi& multi = *found->second->multi;
  transfers_.erase(found);
  // Kept connections belong to the multi handle; with its last target they all go.
  if (multi.targets == 0) multi.reopen();
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
    char* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    auto& transfer = *reinterpret_cast<Transfer*>(self);
    curl_multi_remove_handle(multi.handle, transfer.easy);
    transfer.open = false;
    on_done_(transfer.finish(code));
  }
}

}  // namespace azora::net
