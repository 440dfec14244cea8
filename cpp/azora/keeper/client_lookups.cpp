#include "azora/keeper/client_lookups.hpp"

#include <utility>

#include "azora/base/thread.hpp"

namespace azora::keeper {
namespace {

constexpr std::size_t kMostWaiting = 64;

}  // namespace

Result<void> AccountLookups::begin(const Launch& launch, std::function<void(LookedUp)> done) {
  const auto refused = [&launch](const std::string& why) {
    return Error{ErrorCode::keeper_failed, "process.user: \"" + launch.spec.user + "\" cannot be looked up: " + why};
  };
  if (waiting_.size() >= kMostWaiting) {
    return refused(std::to_string(waiting_.size()) +
                   " other lookups wait for the user directory; check why it does not respond");
  }
  auto thread = start_thread("az-user", [launch, look_up = look_up_, own = own_, done = std::move(done)]() mutable {
    Result<std::optional<Account>> account = look_up(launch.spec.user, own);
    done({std::move(launch), std::move(account)});
  });
  if (!thread) return refused("a thread for it cannot be started; check the limit of processes");
  thread->detach();
  waiting_[launch.serial] = launch.incarnation;
  return {};
}

bool AccountLookups::finish(Serial serial, std::uint64_t incarnation) {
  const auto found = waiting_.find(serial);
  if (found == waiting_.end() || found->second != incarnation) return false;
  waiting_.erase(found);
  return true;
}

std::unordered_map<Serial, std::uint64_t> AccountLookups::abandon_all() { return std::exchange(waiting_, {}); }

}  // namespace azora::keeper
