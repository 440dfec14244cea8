#pragma once
// One target's handle of curl: how a request is made, and what of its answer is taken. No redirects, no proxy, no
// encodings, HTTP/1.1, certificates checked; how much of head and body is taken is counted here (https_head.hpp,
// answer_body.hpp), because curl's own limits do not hold.
// Threads: the client's. Ownership: the handle and its lists; the multi handle it is added to is the client's.
// Fails: configure() false when there is no memory; all else by HttpsDone.
#include <curl/curl.h>

#include <string>
#include <string_view>

#include "azora/net/answer_body.hpp"
#include "azora/net/https_exchange.hpp"
#include "azora/net/https_head.hpp"

namespace azora::net {

class HttpsTransfer {
 public:
  explicit HttpsTransfer(std::uint32_t target) : target_(target) {}
  ~HttpsTransfer();
  HttpsTransfer(const HttpsTransfer&) = delete;
  HttpsTransfer& operator=(const HttpsTransfer&) = delete;

  // The transfer that `easy` belongs to; it must be the handle of a transfer.
  static HttpsTransfer& of(CURL* easy);

  bool configure(const std::string& ca_file);  // once; empty: curl's own
  void begin(const HttpsRequest& request);
  HttpsDone finish(CURLcode code);

  CURL* handle() const { return easy_; }
  std::uint32_t target() const { return target_; }

 private:
  static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t body_callback(char* data, std::size_t size, std::size_t count, void* self);

  void apply(const HttpsRequest& request);
  void set_addresses(const HttpsRequest& request);
  std::size_t on_header(std::string_view line);
  std::size_t on_body(std::string_view piece);
  HttpsEnd end_of(CURLcode code) const;

  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  curl_slist* resolve_ = nullptr;
  std::string resolved_;  // the entry `resolve_` holds
  HttpsHead head_;
  AnswerBody body_;
  const char* problem_ = nullptr;  // why we broke it off
  std::uint32_t target_;
};

}  // namespace azora::net
