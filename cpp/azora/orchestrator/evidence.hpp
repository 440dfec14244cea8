#pragma once
// Evidence lets a service leave FAILED: a changed file of its argv is evidence. Looks every second at the programs of
// failed services, and once at the program from which each incarnation was started. Tells PortEvidence who has failed.
// Threads: the control thread. Ownership: borrows loop, fleet and ports, which outlive it. Fails: never.
#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/fleet.hpp"
#include "azora/orchestrator/port_evidence.hpp"

namespace azora::orchestrator {

// Reads the stamps of argv's files; the control thread must not wait for a disk. Answers on it, later or at once.
using Stamped = std::function<void(std::vector<std::uint64_t>)>;
using FileStamp = std::function<void(const LaunchSpec&, Stamped)>;

class Evidence {
 public:
  // `found` is called with a failed service whose program differs from the one that failed. `noted` is called with the
  // serial of a service whose stamp has become known.
  Evidence(Loop& loop, Fleet& fleet, PortEvidence& ports, std::function<void(ServiceState&)> found,
           std::function<void(std::uint64_t)> noted)
      : loop_(loop), fleet_(fleet), ports_(ports), found_(std::move(found)), noted_(std::move(noted)) {
    ports_.set_found(found_);
  }
  ~Evidence() { loop_.cancel(timer_); }
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;

  // Without this function nothing is examined.
  void set_file_stamp(FileStamp stamp) AZORA_CONTROL { file_stamp_ = std::move(stamp); }
  void set_failed(std::uint64_t serial, bool failed) AZORA_CONTROL;
  // This incarnation is being launched. Its program as it is now is what later looks are compared with.
  void launched(ServiceState& service) AZORA_CONTROL;
  // Sets the timer while there are failed services.
  void end_turn(SteadyTime now) AZORA_CONTROL;

 private:
  void look_at(const ServiceState& service) AZORA_CONTROL;

  Loop& loop_;
  Fleet& fleet_;
  PortEvidence& ports_;
  std::function<void(ServiceState&)> found_;
  std::function<void(std::uint64_t)> noted_;
  FileStamp file_stamp_ AZORA_OF_CONTROL;
  std::set<std::uint64_t> failed_ AZORA_OF_CONTROL;
  TimerId timer_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
