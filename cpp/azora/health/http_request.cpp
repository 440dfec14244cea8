#include "azora/health/http_request.hpp"

#include <algorithm>

#include "azora/health/http_text.hpp"

namespace azora::health {
namespace {

bool needs_escape(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte >= 0x7f;
}

}  // namespace

bool sendable(std::string_view name, std::string_view value) {
  if (!is_token(name) || same_word(name, "content-length") || same_word(name, "transfer-encoding") ||
      same_word(name, "connection")) {
    return false;
  }
  return is_text(value);
}

bool repeatable(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

std::string authority(const ProbeTarget& target, bool always_port) {
  const bool v6 = target.host.find(':') != std::string::npos;
  std::string text = v6 ? "[" + target.host + "]" : target.host;
  const int default_port = target.scheme == "https" ? 443 : 80;
  if (always_port || target.port != default_port) text += ":" + std::to_string(target.port);
  return text;
}

std::string host_header(const ProbeTarget& target) { return authority(target, false); }

std::string safe_path(std::string_view path) {
  std::string out;
  if (path.empty() || path.front() != '/') out = "/";
  for (const char c : path) {
    if (needs_escape(c)) {
      constexpr char kHex[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<std::string> https_headers(const ProbeTarget& target) {
  std::vector<std::string> out;
  bool has_agent = false;
  for (const auto& [name, value] : *target.headers) {
    if (!sendable(name, value)) continue;
    has_agent = has_agent || same_word(name, "user-agent");
    out.push_back(name + ": " + value);
  }
  if (!has_agent) out.push_back("User-Agent: " + std::string(kUserAgent));
  out.emplace_back("Accept:");  // curl's own is not wanted
  return out;
}

void write_request(const ProbeTarget& target, bool keep_alive, std::string& out) {
  const std::string& method = target.method;
  const std::string& path = target.path;
  out.assign(is_token(method) ? std::string_view(method) : std::string_view("GET"));
  out += ' ';
  if (std::any_of(path.begin(), path.end(), needs_escape) || path.empty() || path.front() != '/') {
    out += safe_path(path);
  } else {
    out += path;
  }
  out += " HTTP/1.1\r\n";
  bool has_host = false;
  bool has_agent = false;
  for (const auto& [name, value] : *target.headers) {
    if (!sendable(name, value)) continue;
    has_host = has_host || same_word(name, "host");
    has_agent = has_agent || same_word(name, "user-agent");
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!has_host) out.append("Host: ").append(host_header(target)).append("\r\n");
  if (!has_agent) out.append("User-Agent: ").append(kUserAgent).append("\r\n");
  if (!repeatable(method)) out += "Content-Length: 0\r\n";
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
}

}  // namespace azora::health
