#pragma once
// Which process service has which local address (model/local_address.hpp), and the rule that each has its own, apart
// from ours: two programs cannot listen on one, and whichever answers there would be believed to be both (R52).
// Services that are not started here may share an address, with each other and with these.
// Threads: the control thread; a book of one's own, any. Ownership: holds specs. Fails: check() alone; invalid_spec.
// Cost: in proportion to what is given and to those on the same ports.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/base/result.hpp"
#include "azora/model/local_address.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::registry {

class AddressBook {
 public:
  // A service that may not have its address.
  struct Conflict {
    SpecPtr service;
    std::string message;  // the rest of a fault of its field `endpoint`
  };

  // Where we listen ourselves; a port of 0, or a host that is not local: nowhere that matters.
  void set_own(const std::string& host, std::uint16_t port);

  // What is wrong with these, all together, in place of what their entries have now. Each is told once.
  std::vector<Conflict> conflicts(std::span<const SpecPtr> services) const;
  Result<void> check(std::span<const SpecPtr> services) const;
  // The registered services that are where we would listen.
  std::vector<Conflict> conflicts_with(const std::string& host, std::uint16_t port) const;

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
  static std::optional<Own> own_of(const std::string& host, std::uint16_t port);

  std::unordered_map<std::uint16_t, std::vector<Place>> by_port_;  // no empty ones
  std::optional<Own> own_;
};

}  // namespace azora::registry
