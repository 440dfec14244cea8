#pragma once
// Keeper over the real program: one thread of its own (az-keeper) that starts the program when the first
// service is launched or there may be shims of a former client, speaks with it, starts another when it dies or does
// not answer, and ends all with stop() or leaves all with leave().
// Threads: the calls of Keeper and the callbacks: the control thread. start(), stop(deadline), leave() and
// log_folder(): any thread; the destructor: the control thread, or any thread once no thread runs the control loop.
// Ownership: the thread, the keeper, its shims with their services, the runtime directory with the logs.
// Fails: a launch by on_start_failed (also when the program is missing), start() with keeper_failed.
// In a forked child of the process every call does nothing: all of it belongs to the parent.
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "azora/base/loop.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/result.hpp"
#include "azora/base/thread.hpp"
#include "azora/keeper/client_options.hpp"
#include "azora/keeper/keeper.hpp"

namespace azora::keeper {

class ClientWorker;

class KeeperClient : public Keeper {
 public:
  // Reads the environment and the working directory that services inherit. `control` outlives the client.
  KeeperClient(Loop& control, ClientOptions options);
  ~KeeperClient() override;  // stop(0)
  KeeperClient(const KeeperClient&) = delete;
  KeeperClient& operator=(const KeeperClient&) = delete;

  // Takes the folder that was given and starts the thread; launch() and adopt() do it, too. Idempotent. Refuses a
  // folder that another orchestrator uses, naming it.
  Result<void> start();
  // Stops all services (their stop signal now, SIGKILL at `deadline`), ends shims and keeper and removes
  // their files; waits for it, at most five seconds over the deadline. False: something may be left of them.
  // What was under way is still reported; nothing can be launched any more. Idempotent.
  bool stop(Millis deadline);
  // Ends the thread and the keeper, and leaves a durable fleet to the next client of its folder. Idempotent.
  void leave();

  void set_listener(KeeperListener* listener) override;
  void launch(Launch launch) override;
  void adopt(Serial serial, std::uint64_t incarnation, std::string id) override;
  void acknowledge(Serial serial, std::uint64_t incarnation) override;
  void stop(Serial serial, std::uint64_t incarnation, const StopOrder& order) override;
  void kill(Serial serial, std::uint64_t incarnation) override;
  void forget(Serial serial) override;

  std::uint64_t epoch() const override;  // any thread

  // Where the log files of a service lie (log_reader.hpp), from its first launch until it is forgotten.
  // Fails with keeper_failed as long as nothing was ever launched.
  Result<std::string> log_folder(Serial serial) const;

 private:
  class Mailbox;

  bool is_foreign() const;
  std::optional<std::thread> end_of_thread();
  void abandon();  // in a forked child: there is no thread to join

  const pid_t owner_;
  const ThreadDied died_;
  const std::shared_ptr<Mailbox> mailbox_;
  const std::shared_ptr<ClientWorker> worker_;

  Mutex mutex_;  // for starting and ending the thread; never held while waiting
  std::optional<std::thread> thread_ AZORA_GUARDED_BY(mutex_);
  bool stopped_ AZORA_GUARDED_BY(mutex_) = false;
  Mutex stop_mutex_;  // held until the thread is joined
  bool clean_ AZORA_GUARDED_BY(stop_mutex_) = true;
};

}  // namespace azora::keeper
