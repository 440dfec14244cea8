#include "azora/model/endpoint.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace azora {
namespace {

constexpr std::string_view kForm =
    "it must be an http://, https:// or tcp:// URL such as \"http://127.0.0.1:7001\"";

EndpointProblem problem(std::string_view message) { return {std::string(message), true}; }

bool is_visible(char c) { return c > 0x20 && c < 0x7F; }

bool is_host_name(std::string_view host) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !host.empty() && host.size() <= 253 && host.front() != '.' && host.front() != '-' &&
         host.find("..") == std::string_view::npos &&
         std::all_of(host.begin(), host.end(), allowed);
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// Splits "host:port" or "[::1]:port"; the port is empty when there is none.
std::optional<EndpointProblem> split_authority(std::string_view authority, std::string& host,
                                               std::string_view& port, bool& has_port) {
  std::size_t host_end = 0;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) {
      return problem(
          "the bracket of its IPv6 address is not closed; write it as \"http://[::1]:7001\"");
    }
    host = authority.substr(1, bracket - 1);
    if (!is_ipv6(host)) return problem("the text in its brackets is not an IPv6 address");
    host_end = bracket + 1;
  } else {
    if (std::count(authority.begin(), authority.end(), ':') > 1) {
      return problem("an IPv6 address must be in brackets; write it as \"http://[::1]:7001\"");
    }
    host_end = std::min(authority.find(':'), authority.size());
    host = authority.substr(0, host_end);
    if (host.empty()) return problem("it has no host; " + std::string(kForm));
    if (!is_host_name(host)) {
      return problem(
          "its host must be a name (letters, digits, \"-\", \"_\", \".\") or an IP address");
    }
  }
  const std::string_view rest = authority.substr(host_end);
  has_port = rest.starts_with(':');
  if (!rest.empty() && !has_port)
    return problem("its brackets must be followed by \":port\" or \"/\"");
  port = has_port ? rest.substr(1) : std::string_view{};
  return std::nullopt;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned number = 0;
  const char* last = text.data() + text.size();
  const auto [end, fault] = std::from_chars(text.data(), last, number);
  if (fault != std::errc{} || end != last || number < 1 || number > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

}  // namespace

std::variant<Url, EndpointProblem> parse_endpoint(std::string_view text) {
  Url endpoint;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return problem(kForm);
  endpoint.scheme = text.substr(0, colon);
  std::transform(endpoint.scheme.begin(), endpoint.scheme.end(), endpoint.scheme.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (endpoint.scheme != "http" && endpoint.scheme != "https" && endpoint.scheme != "tcp") {
    return problem(kForm);
  }
  const std::string_view rest = text.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return EndpointProblem{
        "contains a user name or password; remove it (healthCheck.headers can have an "
        "Authorization header)",
        false};
  }
  if (!std::all_of(text.begin(), text.end(), is_visible)) {
    return problem("it must be plain ASCII without spaces; percent-encode its path");
  }
  if (text.find('#') != std::string_view::npos)
    return problem("it must not have a \"#\" part; remove it");
  if (text.find('?') != std::string_view::npos) {
    return problem("it must not have a query; put it into healthCheckPath");
  }
  std::string_view port;
  bool has_port = false;
  if (auto wrong = split_authority(authority, endpoint.host, port, has_port)) return *wrong;
  if (has_port) {
    const auto number = parse_port(port);
    if (!number) return problem("its port must be a number from 1 to 65535");
    endpoint.port = *number;
  } else if (endpoint.scheme == "tcp") {
    return problem("a tcp endpoint needs a port; write it as \"tcp://127.0.0.1:5432\"");
  } else {
    endpoint.port = endpoint.scheme == "https" ? 443 : 80;
  }
  std::string_view base = rest.substr(authority.size());
  std::size_t slashes = 0;
  while (slashes < base.size() && base[base.size() - 1 - slashes] == '/') ++slashes;
  base.remove_suffix(slashes);
  if (endpoint.scheme == "tcp" && !base.empty()) {
    return problem("a tcp endpoint has no path; write it as \"tcp://127.0.0.1:5432\"");
  }
  endpoint.base_path = base;
  endpoint.text = text.substr(0, text.size() - slashes);
  return endpoint;
}

Url with_port(const Url& endpoint, std::uint16_t port) {
  if (endpoint.port == port) return endpoint;
  Url other = endpoint;
  other.port = port;
  const bool brackets = endpoint.host.find(':') != std::string::npos;
  other.text = endpoint.scheme + "://" + (brackets ? "[" + endpoint.host + "]" : endpoint.host) +
               ":" + std::to_string(port) + endpoint.base_path;
  return other;
}

}  // namespace azora
