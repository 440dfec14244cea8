#pragma once
// What was asked of the client and not yet looked at by its thread: commands in the order they came, and how to end.
// Threads: push() and end() any; all else az-keeper. Ownership: shared with look-ups, which may end after the client.
// Fails: never; should the wake-up fail, what was asked is found with the next one.
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/time.hpp"
#include "azora/keeper/client_command.hpp"

namespace azora::keeper {

class ClientInbox {
 public:
  struct Orders {
    std::vector<Command> commands;
    Ending ending = Ending::no;
    SteadyTime deadline{};  // of Ending::stop
  };

  ClientInbox();

  void push(Command command);
  void end(Ending how, SteadyTime deadline);

  // Readable when something was asked; hushed before it is taken, so that what comes meanwhile is seen.
  int fd() const { return wake_.get(); }
  void hush();
  // Commands are taken away; how to end stays asked.
  Orders take();

 private:
  void wake();

  const Fd wake_;
  Mutex mutex_;
  std::vector<Command> commands_ AZORA_GUARDED_BY(mutex_);
  Ending ending_ AZORA_GUARDED_BY(mutex_) = Ending::no;
  SteadyTime deadline_ AZORA_GUARDED_BY(mutex_){};
};

}  // namespace azora::keeper
