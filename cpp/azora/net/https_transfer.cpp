#include "azora/net/https_transfer.hpp"

#include <cerrno>

namespace azora::net {

HttpsTransfer::~HttpsTransfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
  curl_slist_free_all(resolve_);
}

HttpsTransfer& HttpsTransfer::of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return *reinterpret_cast<HttpsTransfer*>(self);
}

std::size_t HttpsTransfer::header_callback(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpsTransfer*>(self)->on_header({data, size * count});
}

std::size_t HttpsTransfer::body_callback(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpsTransfer*>(self)->on_body({data, size * count});
}

bool HttpsTransfer::configure(const std::string& ca_file) {
  easy_ = curl_easy_init();
  if (easy_ == nullptr) return false;
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy_, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(easy_, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, ca_file.c_str());
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, 16'384L);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &header_callback);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &body_callback);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  return true;
}

void HttpsTransfer::begin(const HttpsRequest& request) {
  head_ = HttpsHead{};
  body_.begin();
  problem_ = nullptr;
  apply(request);
}

void HttpsTransfer::apply(const HttpsRequest& request) {
  curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
  const bool head = request.method == "HEAD";
  curl_easy_setopt(easy_, CURLOPT_HTTPGET, 1L);  // undoes the method of the last request
  if (head) {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (request.method != "GET") {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, 0L);
  }
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, head || request.method == "GET" ? nullptr : request.method.c_str());
  curl_slist_free_all(headers_);
  headers_ = nullptr;
  for (const std::string& header : request.headers) headers_ = curl_slist_append(headers_, header.c_str());
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, request.fresh ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_FORBID_REUSE, request.keep ? 0L : 1L);
  set_addresses(request);
}

void HttpsTransfer::set_addresses(const HttpsRequest& request) {
  std::string entry = request.host + ":" + std::to_string(request.port) + ":";
  for (const Address& address : request.addresses) {
    if (entry.back() != ':') entry += ',';
    const std::string text = address.text();
    entry += address.family() == AF_INET6 ? "[" + text + "]" : text;
  }
  const bool numeric = Address::parse(request.host, 0).has_value();
  if (numeric || entry == resolved_) return;
  resolved_ = entry;
  curl_slist_free_all(resolve_);
  resolve_ = curl_slist_append(nullptr, entry.c_str());
  curl_easy_setopt(easy_, CURLOPT_RESOLVE, resolve_);
}

// Takes one line, its end included. When it returns less than it got, curl gives up.
std::size_t HttpsTransfer::on_header(std::string_view line) {
  problem_ = head_.take(line);
  body_.keep(head_.is_success());
  return problem_ == nullptr ? line.size() : 0;
}

std::size_t HttpsTransfer::on_body(std::string_view piece) {
  return body_.take(piece) ? piece.size() : 0;
}

HttpsDone HttpsTransfer::finish(CURLcode code) {
  HttpsDone done;
  done.target = target_;
  done.irregular = head_.irregular();
  curl_off_t total = 0;
  curl_off_t before_sending = 0;
  curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME_T, &total);
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &before_sending);
  done.latency = Micros(total - before_sending);
  if (problem_ != nullptr) {
    done.end = HttpsEnd::protocol_error;
    done.error = problem_;
  } else if (code == CURLE_OK || body_.truncated()) {
    done.end = HttpsEnd::answered;
    done.status = head_.status();
    done.body = body_.release();
  } else {
    done.end = end_of(code);
    // curl's own text for a failed verification speaks of SSH keys.
    done.error = code == CURLE_PEER_FAILED_VERIFICATION ? "the certificate is not trusted, or is for another name"
                                                        : curl_easy_strerror(code);
  }
  return done;
}

HttpsEnd HttpsTransfer::end_of(CURLcode code) const {
  long os_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  const bool connecting = code == CURLE_COULDNT_CONNECT || code == CURLE_FAILED_INIT;
  if (code == CURLE_OUT_OF_MEMORY || (connecting && (os_error == EMFILE || os_error == ENFILE ||
                                                     os_error == ENOBUFS || os_error == EADDRNOTAVAIL))) {
    return HttpsEnd::overloaded;
  }
  switch (code) {
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR: return head_.answers() > 0 || code != CURLE_RECV_ERROR ? HttpsEnd::protocol_error : HttpsEnd::refused;
    default: return HttpsEnd::refused;
  }
}

}  // namespace azora::net
