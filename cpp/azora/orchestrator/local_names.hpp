#pragma once
// The names in the endpoints of services that /etc/hosts gives a loopback address. The file is read for each
// registration that has names, on the thread that registers; no name server is asked.
// Threads: any that may wait for a disk. Fails: never; a file that cannot be read gives no name an address.
#include <string>
#include <vector>

#include "azora/orchestrator/request.hpp"
#include "azora/registry/address_book.hpp"

namespace azora::orchestrator {

// All names among the hosts of these services, and `more` if it is one.
registry::LocalNames local_names(const std::vector<SpecPtr>& services, const std::string& more = {});
registry::LocalNames local_names(const std::vector<Request>& requests);

}  // namespace azora::orchestrator
