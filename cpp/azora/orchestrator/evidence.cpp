#include "azora/orchestrator/evidence.hpp"

#include <utility>

namespace azora::orchestrator {
namespace {

constexpr Millis kLook{1'000};

}  // namespace

void Evidence::set_failed(std::uint64_t serial, bool failed) {
  ports_.set_failed(serial, failed);
  if (failed) {
    failed_.insert(serial);
  } else {
    failed_.erase(serial);
  }
}

void Evidence::launched(ServiceState& service) {
  service.own->executable_stamp.reset();
  look_at(service);
}

void Evidence::end_turn(SteadyTime now) {
  if (failed_.empty() || timer_ != 0 || !file_stamp_) return;
  timer_ = loop_.at(now + kLook, [this] {
    control_thread.assert_held();
    timer_ = 0;
    for (const std::uint64_t serial : std::vector<std::uint64_t>(failed_.begin(), failed_.end())) {
      const ServiceState* service = fleet_.by_serial(serial);
      if (service != nullptr && service->process()) look_at(*service);
    }
  });
}

// The first look at an incarnation notes what was started. In FAILED, a program that differs is worth a try.
void Evidence::look_at(const ServiceState& service) {
  if (!file_stamp_) return;
  file_stamp_(*service.spec->process, [this, serial = service.serial,
                                       incarnation = service.machine.incarnation](std::vector<std::uint64_t> stamp) {
    control_thread.assert_held();
    ServiceState* found = fleet_.by_serial(serial);
    if (found == nullptr || found->machine.incarnation != incarnation) return;
    if (!found->own->executable_stamp) {
      found->own->executable_stamp = std::move(stamp);
      noted_(serial);
    } else if (found->machine.lifecycle == Lifecycle::failed && *found->own->executable_stamp != stamp) {
      found_(*found);
    }
  });
}

}  // namespace azora::orchestrator
