#pragma once
// The bytes of one probe: method, path and headers of a target as an HTTP/1.1 request. Header names and
// values that could break out of their line are left out, even if a validator accepted them.
// Threads: any (pure).
#include <string>
#include <string_view>
#include <vector>

#include "azora/health/prober.hpp"

namespace azora::health {

// Why an address is not asked (net::Address::is_forbidden).
inline constexpr std::string_view kForbiddenAddress =
    "the address is link-local or belongs to a cloud metadata service; such addresses are never probed";
inline constexpr std::string_view kUserAgent = "azora-orchestrator";

// Replaces `out`. `keep_alive` false asks for the connection to be closed.
void write_request(const ProbeTarget& target, bool keep_alive, std::string& out);

// The same headers, one per element, for the https lane (which adds Host and Connection itself).
std::vector<std::string> https_headers(const ProbeTarget& target);

// "host", "host:port", "[v6]:port": the default port of the scheme is left out.
std::string host_header(const ProbeTarget& target);
// "host:port", "[v6]:port"; the default port of the scheme only when `always_port`.
std::string authority(const ProbeTarget& target, bool always_port);
// Whether the header may be sent: a token as name, no control bytes in its value, and none that frames
// the message.
bool sendable(std::string_view name, std::string_view value);
// The path with blanks and control bytes percent-encoded.
std::string safe_path(std::string_view path);
// Whether the request may be sent again on a new connection when a kept one turns out to be dead.
bool repeatable(std::string_view method);

}  // namespace azora::health
