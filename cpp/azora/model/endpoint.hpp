#pragma once
// Reads the URL of a service: http://host[:port][/base], https://.., tcp://host:port.
// Threads: any; pure functions. Fails: see parse_endpoint.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "azora/model/service_spec.hpp"

namespace azora {

// What is wrong with the text, as the rest of a fault: "has no host; write it as ...". `quotable`
// is false when the text may hold a password and must not be repeated.
struct EndpointProblem {
  std::string message;
  bool quotable = true;
};

std::variant<Endpoint, EndpointProblem> parse_endpoint(std::string_view text);

// The same endpoint on another port (replicas).
Endpoint with_port(const Endpoint& endpoint, std::uint16_t port);

}  // namespace azora
