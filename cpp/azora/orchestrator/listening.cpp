#include "azora/orchestrator/listening.hpp"

#include <utility>

namespace azora::orchestrator {

Listening::Listening(Loop& loop, Fleet& fleet, Turn& turn, Ownership::Settled settled,
                     const std::function<void(const ServiceState&)>& hurry)
    : fleet_(fleet),
      hurry_(hurry),
      watch_(loop,
             [this](std::uint64_t serial) {
               control_thread.assert_held();
               return watches(serial);
             },
             [this](std::uint64_t serial) {
               control_thread.assert_held();
               on_change(serial);
             }),
      ports_(fleet, watch_),
      ownership_(loop, fleet, turn, watch_, std::move(settled), hurry) {}

void Listening::set_desk(listeners::Desk& desk) {
  watch_.set_desk(desk);
  ports_.set_desk(desk);
  ownership_.set_desk(desk);
}

void Listening::doubt(std::uint64_t serial) {
  ServiceState* service = fleet_.by_serial(serial);
  if (service != nullptr && ownership_.doubt(*service)) hurry_(*service);
}

// A service that is believed, or that has failed and waits for its port.
bool Listening::watches(std::uint64_t serial) const {
  const ServiceState* service = fleet_.by_serial(serial);
  return service != nullptr && (ownership_.watches(*service) || ports_.watches(serial));
}

void Listening::on_change(std::uint64_t serial) {
  ServiceState* service = fleet_.by_serial(serial);
  if (service == nullptr) return;
  ownership_.listener_changed(*service);
  ports_.listener_changed(serial);
}

}  // namespace azora::orchestrator
