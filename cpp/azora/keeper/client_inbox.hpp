#pragma once
// What was asked of the client and not yet looked at by its thread: commands in the order they came, and how to end.
// Threads: push() and end() any; all else az-keeper. Ownership: shared with look-ups, which may end after the client.
// Fails: never; if the wake-up fails, the next one finds what was asked.
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

  // Readable when something was asked. Call hush() before take(), so that what comes meanwhile is seen.
  int fd() const { return wake_.get(); }
  void hush();
  // Takes the commands out; how to end stays as asked.
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
