#include "azora/orchestrator/address_faults.hpp"

#include <unordered_map>

#include "azora/orchestrator/local_names.hpp"
#include "azora/registry/address_book.hpp"

namespace azora::orchestrator {

std::vector<AddressFault> address_faults(const std::vector<std::string>& texts, const ParseOptions& options,
                                         const std::string& host, std::uint16_t port) {
  std::vector<SpecPtr> services;
  std::unordered_map<const ServiceSpec*, std::size_t> index_of;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Result<std::vector<SpecPtr>> parsed = parse_service(texts[i], options);
    if (!parsed) continue;
    for (SpecPtr& service : parsed.value()) {
      index_of[service.get()] = i;
      services.push_back(std::move(service));
    }
  }
  registry::AddressBook book;
  book.know(local_names(services, host));
  book.set_own(host, port);
  std::vector<AddressFault> faults;
  for (registry::AddressBook::Conflict& conflict : book.conflicts(services)) {
    faults.push_back({index_of[conflict.service.get()], std::move(conflict.message)});
  }
  return faults;
}

}  // namespace azora::orchestrator
