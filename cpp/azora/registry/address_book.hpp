#pragma once
// Which process service has which local address (model/local_address.hpp), and the rule that each has its own,
// different from ours: two programs cannot listen on one address, and an answer from there would be believed for both
// (R52). Services that are not started here may share an address, with each other and with process services, but no
// service may be checked at our own address: our answer would be believed for it.
// A name is local if it was given as such (know()): the book reads no file and asks no name server.
// Threads: the control thread; a private book: any. Ownership: holds specs. Fails: check() only; invalid_spec.
// Cost: in proportion to the given services and to those on the same ports.
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/local_address.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::registry {

// Names of hosts with the loopback address that each stands for on this machine; nullopt: it stands for none.
using LocalNames = std::map<std::string, std::optional<LocalAddress>, std::less<>>;

class AddressBook {
 public:
  // A service that must not have its address.
  struct Conflict {
    SpecPtr service;
    std::string message;  // the rest of a fault of its field `endpoint`
  };

  // What names stand for from now on; services that are in the book keep the addresses that they had.
  void know(const LocalNames& names);
  // The address on which we listen ourselves; a port of 0, or a host that is not local, sets no rule.
  void set_own(const std::string& host, std::uint16_t port);

  // Checks these services together, in place of the present services of their entries. Reports each wrong service once.
  std::vector<Conflict> conflicts(std::span<const SpecPtr> services) const;
  Result<void> check(std::span<const SpecPtr> services) const;
  // Those of these services that would listen, or be checked, at the address on which we want to listen.
  std::vector<Conflict> conflicts_with(const std::string& host, std::uint16_t port,
                                       std::span<const SpecPtr> services) const;

  void put(const SpecPtr& service);
  void erase(const ServiceSpec& service);

 private:
  struct Place {
    LocalAddress address;
    SpecPtr service;
  };
  struct Own {
    LocalAddress address;
    std::string text;
    std::uint16_t port = 0;
  };
  std::optional<Own> own_of(const std::string& host, std::uint16_t port) const;
  std::optional<LocalAddress> address_of(const std::string& host) const;
  std::optional<LocalAddress> claimed(const ServiceSpec& service) const;
  std::optional<LocalAddress> probed(const ServiceSpec& service) const;
  bool is_at(const ServiceSpec& service, const LocalAddress& address) const;
  std::string note_on_names(const std::vector<std::string>& hosts) const;
  std::string taken_text(const ServiceSpec& service, const ServiceSpec& other) const;
  std::string ours_text(const ServiceSpec& service, const std::string& own) const;

  std::unordered_map<std::uint16_t, std::vector<Place>> by_port_;  // only ports in use
  std::optional<Own> own_;
  LocalNames names_;  // local ones alone
};

}  // namespace azora::registry
