#pragma once
// FAILED is left on evidence: a changed file of argv is such. Looks every second at the programs of failed services,
// and once at what each incarnation was started from.
// Threads: the control thread. Ownership: borrows loop and fleet, which outlive it. Fails: never.
#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "azora/base/loop.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/orchestrator/fleet.hpp"

namespace azora::orchestrator {

// Stamps of argv's files, which may not be asked of the disk on the control thread. Answers there, later or at once.
using Stamped = std::function<void(std::vector<std::uint64_t>)>;
using FileStamp = std::function<void(const LaunchSpec&, Stamped)>;

class Evidence {
 public:
  // `found` is called with a failed service whose program differs from the one that failed, `noted` with the serial of
  // one whose stamp is known now.
  Evidence(Loop& loop, Fleet& fleet, std::function<void(ServiceState&)> found, std::function<void(std::uint64_t)> noted)
      : loop_(loop), fleet_(fleet), found_(std::move(found)), noted_(std::move(noted)) {}
  ~Evidence() { loop_.cancel(timer_); }
  Evidence(const Evidence&) = delete;
  Evidence& operator=(const Evidence&) = delete;

  // Without it nothing is looked at.
  void set_file_stamp(FileStamp stamp) AZORA_CONTROL { file_stamp_ = std::move(stamp); }
  void set_failed(std::uint64_t serial, bool failed) AZORA_CONTROL;
  // This incarnation is being launched: what its program is now is what a later one is compared with.
  void launched(ServiceState& service) AZORA_CONTROL;
  // Sets the timer while there are failed services.
  void end_turn(SteadyTime now) AZORA_CONTROL;

 private:
  void look_at(const ServiceState& service) AZORA_CONTROL;

  Loop& loop_;
  Fleet& fleet_;
  std::function<void(ServiceState&)> found_;
  std::function<void(std::uint64_t)> noted_;
  FileStamp file_stamp_ AZORA_OF_CONTROL;
  std::set<std::uint64_t> failed_ AZORA_OF_CONTROL;
  TimerId timer_ AZORA_OF_CONTROL = 0;
};

}  // namespace azora::orchestrator
