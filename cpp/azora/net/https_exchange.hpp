#pragma once
// One request over HTTPS and how it ended.
// Threads: any (values).
#include <cstdint>
#include <string>
#include <vector>

#include "azora/base/time.hpp"
#include "azora/net/address.hpp"

namespace azora::net {

enum class HttpsEnd : std::uint8_t { answered, refused, protocol_error, overloaded };

struct HttpsRequest {
  std::uint32_t target = 0;          // the caller's index; key of the kept connection
  std::string url;                   // https://host:port/path
  std::string host;
  std::uint16_t port = 0;
  std::string method;
  std::vector<std::string> headers;  // "Name: value"
  std::vector<Address> addresses;    // in the order to try; all allowed
  bool fresh = true;                 // by a new connection
  bool keep = false;                 // the connection may serve the next request
};
struct HttpsDone {
  std::uint32_t target = 0;
  HttpsEnd end = HttpsEnd::refused;
  int status = 0;
  Nanos latency{0};  // from the request's sending to the end of the answer
  std::string body;  // of a 2xx answer within the cap that begins like a JSON object
  const char* error = "";
  bool irregular = false;  // was read although it breaks a rule: the connection is not to be used again
};

}  // namespace azora::net
