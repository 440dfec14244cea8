#include "azora/registry/address_book.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "azora/model/check_kinds.hpp"

namespace azora::registry {
namespace {

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

}  // namespace

void AddressBook::know(const LocalNames& names) {
  for (const auto& [name, address] : names) {
    if (address) {
      names_[name] = address;
    } else {
      names_.erase(name);
    }
  }
}

std::optional<LocalAddress> AddressBook::address_of(const std::string& host) const {
  if (const std::optional<LocalAddress> address = local_address(host)) return address;
  const auto known = names_.find(host);
  return known == names_.end() ? std::nullopt : known->second;
}

// nullopt: the service claims no address.
std::optional<LocalAddress> AddressBook::claimed(const ServiceSpec& service) const {
  if (service.action != &kProcessAction || !service.endpoint) return std::nullopt;
  return address_of(service.target.host);
}

// Where the service is checked, if that is an address of this machine.
std::optional<LocalAddress> AddressBook::probed(const ServiceSpec& service) const {
  if (!service.endpoint || !check_kind(service.target.kind).asks) return std::nullopt;
  return address_of(service.target.host);
}

// Whether the service would listen at this address, or be checked there.
bool AddressBook::is_at(const ServiceSpec& service, const LocalAddress& address) const {
  for (const std::optional<LocalAddress>& its : {claimed(service), probed(service)}) {
    if (its && overlap(*its, address)) return true;
  }
  return false;
}

// Says of a name where its address comes from, since a URL does not show it.
std::string AddressBook::note_on_names(const std::vector<std::string>& hosts) const {
  for (const std::string& host : hosts) {
    if (names_.contains(host)) return "; in /etc/hosts " + quoted(host) + " is an address of this machine";
  }
  return "";
}

std::string AddressBook::taken_text(const ServiceSpec& service, const ServiceSpec& other) const {
  const std::string& url = service.endpoint->text;
  std::string text = "is " + quoted(url) + " of service " + quoted(service.id) + ", which is also the address of service " +
                     quoted(other.id);
  if (other.endpoint->text != url) text += " (" + quoted(other.endpoint->text) + ")";
  return text + note_on_names({service.target.host, other.target.host}) +
         "; two processes cannot listen on one address; give one of them another port";
}

std::string AddressBook::ours_text(const ServiceSpec& service, const std::string& own) const {
  return "is " + quoted(service.endpoint->text) + " of service " + quoted(service.id) +
         ", which is also the orchestrator's own address (" + own + ")" + note_on_names({service.target.host}) +
         "; give the service another port, or serve on another one with --port";
}

std::optional<AddressBook::Own> AddressBook::own_of(const std::string& host, std::uint16_t port) const {
  const std::optional<LocalAddress> address = address_of(host);
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
                                                               std::span<const SpecPtr> services) const {
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
