#pragma once
// Which events a reader wants. By default all. Values: pure.
#include <cstdint>
#include <string>

#include "azora/model/event.hpp"
#include "azora/model/service_name.hpp"

namespace azora::events {

struct Filter {
  std::uint32_t types = ~std::uint32_t{0};  // bit per EventType
  std::string service;                      // of a service, or of an entry: all its instances; empty: any
  void only(EventType type) {
    if (types == ~std::uint32_t{0}) types = 0;
    types |= bit(type);
  }
  bool wants(EventType type) const { return (types & bit(type)) != 0; }
  bool wants(const Event& event) const {
    return wants(event.type) && (service.empty() || (event.service_id && names_service(service, *event.service_id)));
  }
  bool wants_state() const { return (types & ~bit(EventType::health_check)) != 0; }
  bool wants_checks() const { return wants(EventType::health_check); }

 private:
  static std::uint32_t bit(EventType type) { return std::uint32_t{1} << static_cast<unsigned>(type); }
};

}  // namespace azora::events
