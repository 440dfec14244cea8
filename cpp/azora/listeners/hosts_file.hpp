#pragma once
// Which loopback address /etc/hosts gives to a name. It is what resolvers look at first, so that a check of
// http://myhost:8080 arrives there. Pure but for reading the file.
// Threads: any; waits for a disk. Fails: nullopt where the file cannot be read, or gives no loopback address.
#include <optional>
#include <string>
#include <string_view>

#include "azora/model/local_address.hpp"

namespace azora::listeners {

std::optional<LocalAddress> loopback_of(std::string_view name);
std::optional<std::string> hosts_text();
// `text`: the content of the file. The first IPv4 address of the name counts, else its first of IPv6; case does not.
std::optional<LocalAddress> loopback_in(std::string_view text, std::string_view name);

}  // namespace azora::listeners
