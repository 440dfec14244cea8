#include "azora/registry/address_book.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "azora/model/check_kinds.hpp"

namespace azora::registry {
namespace {

// nullopt: the service claims no address.
std::optional<LocalAddress> claimed(const ServiceSpec& service) {
  if (service.action != &kProcessAction || !service.endpoint) return std::nullopt;
  return local_address(service.target.host);
}

// Where the service is checked, if that is an address of this machine.
std::optional<LocalAddress> probed(const ServiceSpec& service) {
  if (!service.endpoint || !check_kind(service.target.kind).asks) return std::nullopt;
  return local_address(service.target.host);
}

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string taken_text(const ServiceSpec& service, const ServiceSpec& other) {
  const std::string& url = service.endpoint->text;
  std::string text = "is " + quoted(url) + " of service " + quoted(service.id) +
                     ", which is also the address of service " + quoted(other.id);
  if (other.endpoint->text != url) text += " (" + quoted(other.endpoint->text) + ")";
  return text + "; two processes cannot listen on one address; give one of them another port";
}

std::string ours_text(const ServiceSpec& service, const std::string& own) {
  return "is " + quoted(service.endpoint->text) + " of service " + quoted(service.id) +
         ", which is also the orchestrator's own address (" + own +
         "); give the service another port, or serve on another one with --port";
}

// Whether the service would listen at this address, or be checked there.
bool is_at(const ServiceSpec& service, const LocalAddress& address) {
  for (const std::optional<LocalAddress>& its : {claimed(service), probed(service)}) {
    if (its && overlap(*its, address)) return true;
  }
  return false;
}

}  // namespace

std::optional<AddressBook::Own> AddressBook::own_of(const std::string& host, std::uint16_t port) {
  const std::optional<LocalAddress> address = local_address(host);
  if (!address || port == 0) return std::nullopt;
  const bool brackets = host.find(':') != std::string::npos;
  return Own{*address, (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port), port};
}

void AddressBook::set_own(const std::string& host, std::uint16_t port) { own_ = own_of(host, port); }

std::vector<AddressBook::Conflict> AddressBook::conflicts(std::span<const SpecPtr> services) const {
  std::unordered_set<std::string_view> overwritten;
  for (const SpecPtr& service : services) overwritten.insert(service->entry_id());
  std::vector<Conflict> found;
  std::unordered_map<std::uint16_t, std::vector<Place>> batch;
  for (const SpecPtr& service : services) {
    const std::uint16_t port = service->target.port;
    if (own_ && own_->port == port && is_at(*service, own_->address)) {
      found.push_back({service, ours_text(*service, own_->text)});
      continue;
    }
    const std::optional<LocalAddress> address = claimed(*service);
    if (!address) continue;
    std::vector<Place>& beside = batch[port];
    const auto meets = [&](const Place& place) { return overlap(place.address, *address); };
    const Place* other = nullptr;
    if (const auto at = std::find_if(beside.begin(), beside.end(), meets); at != beside.end()) other = &*at;
    if (const auto there = by_port_.find(port); other == nullptr && there != by_port_.end()) {
      const auto at = std::find_if(there->second.begin(), there->second.end(), [&](const Place& place) {
        return meets(place) && !overwritten.contains(place.service->entry_id());
      });
      if (at != there->second.end()) other = &*at;
    }
    if (other != nullptr) found.push_back({service, taken_text(*service, *other->service)});
    beside.push_back({*address, service});
  }
  return found;
}

Result<void> AddressBook::check(std::span<const SpecPtr> services) const {
  std::vector<Fault> faults;
  for (Conflict& conflict : conflicts(services)) faults.push_back({"endpoint", std::move(conflict.message)});
  if (faults.empty()) return {};
  return spec_error(std::move(faults));
}

std::vector<AddressBook::Conflict> AddressBook::conflicts_with(const std::string& host, std::uint16_t port,
                                                               std::span<const SpecPtr> services) {
  std::vector<Conflict> found;
  const std::optional<Own> own = own_of(host, port);
  if (!own) return found;
  for (const SpecPtr& service : services) {
    if (service->target.port == port && is_at(*service, own->address)) {
      found.push_back({service, ours_text(*service, own->text)});
    }
  }
  return found;
}

void AddressBook::put(const SpecPtr& service) {
  if (const std::optional<LocalAddress> address = claimed(*service)) {
    by_port_[service->target.port].push_back({*address, service});
  }
}

void AddressBook::erase(const ServiceSpec& service) {
  const auto there = by_port_.find(service.target.port);
  if (there == by_port_.end()) return;
  std::erase_if(there->second, [&](const Place& place) { return place.service->id == service.id; });
  if (there->second.empty()) by_port_.erase(there);
}

}  // namespace azora::registry
