#include "azora/keeper/client_inbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace azora::keeper {

ClientInbox::ClientInbox() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void ClientInbox::push(Command command) {
  bool first = false;
  {
    MutexLock lock(mutex_);
    first = commands_.empty();
    commands_.push_back(std::move(command));
  }
  if (first) wake();
}

void ClientInbox::end(Ending how, SteadyTime deadline) {
  {
    MutexLock lock(mutex_);
    ending_ = how;
    deadline_ = deadline;
  }
  wake();
}

void ClientInbox::wake() {
  constexpr std::uint64_t kOne = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &kOne, sizeof kOne);
}

void ClientInbox::hush() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(wake_.get(), &count, sizeof count);
}

ClientInbox::Orders ClientInbox::take() {
  MutexLock lock(mutex_);
  return {std::exchange(commands_, {}), ending_, deadline_};
}

}  // namespace azora::keeper
