#pragma once
// Reads the URL of a service: http://host[:port][/base], https://..., tcp://host:port.
// Threads: any; pure functions. Fails: see parse_endpoint.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace azora {

struct Url {
  std::string text;      // as given, without trailing slash
  std::string scheme;    // http https tcp
  std::string host;      // without brackets
  std::uint16_t port = 0;
  std::string base_path; // "" or "/prefix", put before healthCheckPath
};

// What is wrong with the URL, as the rest of a fault: "has no host; write it as ...". `quotable`
// is false when it may hold a password and must not be repeated.
struct EndpointProblem {
  std::string message;
  bool quotable = true;
};

std::variant<Url, EndpointProblem> parse_endpoint(std::string_view text);

// The same endpoint on another port (replicas).
Url with_port(const Url& endpoint, std::uint16_t port);

}  // namespace azora
