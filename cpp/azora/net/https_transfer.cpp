#include "azora/net/https_transfer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace azora::net {
namespace {

constexpr std::size_t kMaxHeaderBytes = 16 * 1024;
constexpr std::size_t kMaxBodyBytes = 64 * 1024;
constexpr int kMaxInterim = 8;

bool starts_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() && std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
         });
}

}  // namespace

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
  body_.clear();
  body_.shrink_to_fit();
  problem_ = nullptr;
  header_bytes_ = body_bytes_ = 0;
  answers_ = status_ = 0;
  length_.clear();
  has_coding_ = truncated_ = framing_ = irregular_ = false;
  keep_body_ = expect_status_ = true;
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

// One line with its end. Returning less than it got makes curl give up.
std::size_t HttpsTransfer::on_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) return refuse("headers beyond 16 KiB");
  std::string_view text = line;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) {
    text.remove_suffix(1);
  } else {
    irregular_ = true;
  }
  if (text.empty()) {
    expect_status_ = true;
    return line.size();
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
  if (std::any_of(text.begin(), text.end(), control)) return refuse("a header holds control bytes");
  if (text.substr(0, 5) == "HTTP/") {
    return expect_status_ ? on_status_line(line, text) : refuse("a header name is malformed");
  }
  const char* fault = fault_of_field(text);
  return fault != nullptr ? refuse(fault) : line.size();
}

// Null: none. What frames the answer must be read in one way only; other fields may be as clients take them.
const char* HttpsTransfer::fault_of_field(std::string_view text) {
  if (text.front() == ' ' || text.front() == '\t') {
    irregular_ = true;
    return framing_ ? "a header that frames the answer is folded" : nullptr;
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  std::string_view name = text.substr(0, colon);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  const bool length = name.size() == 14 && starts_ignoring_case(name, "content-length");
  const bool coding = name.size() == 17 && starts_ignoring_case(name, "transfer-encoding");
  framing_ = length || coding;
  if (name.size() != colon) {
    if (framing_) return "a header that frames the answer has a blank before its colon";
    irregular_ = true;
  }
  if (length) {
    const std::string value(text.substr(colon));
    if (!length_.empty() && value != length_) return "Content-Length is given twice, and differently";
    irregular_ = irregular_ || !length_.empty();
    length_ = value;
  }
  has_coding_ = has_coding_ || coding;
  return !length_.empty() && has_coding_ ? "both Content-Length and Transfer-Encoding" : nullptr;
}

std::size_t HttpsTransfer::on_status_line(std::string_view line, std::string_view text) {
  length_.clear();
  has_coding_ = expect_status_ = framing_ = false;
  if (++answers_ > kMaxInterim + 1) return refuse("too many interim answers");
  const std::size_t code = text.find(' ');
  status_ = code == std::string_view::npos ? 0 : std::atoi(text.data() + code + 1);
  return line.size();
}

std::size_t HttpsTransfer::on_body(std::string_view piece) {
  body_bytes_ += piece.size();
  if (body_bytes_ > kMaxBodyBytes) {
    truncated_ = true;
    body_.clear();
    return 0;
  }
  if (!keep_body_) return piece.size();
  if (body_.empty()) {
    const std::size_t begin = piece.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return piece.size();
    keep_body_ = piece[begin] == '{' && status_ >= 200 && status_ <= 299;
    if (keep_body_) body_.assign(piece.substr(begin));
  } else {
    body_.append(piece);
  }
  return piece.size();
}

std::size_t HttpsTransfer::refuse(const char* problem) {
  problem_ = problem;
  return 0;
}

HttpsDone HttpsTransfer::finish(CURLcode code) {
  HttpsDone done;
  done.target = target_;
  done.irregular = irregular_;
  curl_off_t total = 0;
  curl_off_t before_sending = 0;
  curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME_T, &total);
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &before_sending);
  done.latency = Micros(total - before_sending);
  if (problem_ != nullptr) {
    done.end = HttpsEnd::protocol_error;
    done.error = problem_;
  } else if (code == CURLE_OK || truncated_) {
    done.end = HttpsEnd::answered;
    done.status = status_;
    done.body = std::move(body_);
  } else {
    done.end = end_of(code);
    done.error = code == CURLE_PEER_FAILED_VERIFICATION ? "the certificate is not trusted, or is for another name"
                                                        : curl_easy_strerror(code);  // speaks of SSH keys there
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
    case CURLE_WRITE_ERROR: return answers_ > 0 || code != CURLE_RECV_ERROR ? HttpsEnd::protocol_error : HttpsEnd::refused;
    default: return HttpsEnd::refused;
  }
}

}  // namespace azora::net
