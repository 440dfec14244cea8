#pragma once
// One command that leaves the control thread at the end of its turn, as a value: its kind and its service can be
// read, so that each kind can wait for what it must wait for.
// Threads: the control thread. Ownership: a value. Fails: never.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "azora/keeper/keeper.hpp"
#include "azora/orchestrator/orchestrator.hpp"

namespace azora::orchestrator {

struct Send {
  enum class Kind : std::uint8_t {
    launch,       // start `incarnation`: `launch` says how
    stop,         // `signal` to its main process
    kill,         // SIGKILL to all of it
    acknowledge,  // its end is stored: the record of it may go
    forget,       // the service is unregistered and swept: its shim may end
    callback,     // call its restart callable: `request`
  };
  Kind kind = Kind::launch;
  std::uint64_t serial = 0;
  std::uint64_t incarnation = 0;
  int signal = 0;
  std::optional<keeper::Launch> launch;
  std::optional<CallbackRequest> request;

  // It begins an incarnation.
  bool starts() const { return kind == Kind::launch || kind == Kind::callback; }

  static Send to_launch(keeper::Launch launch) {
    return {.kind = Kind::launch, .serial = launch.serial, .incarnation = launch.incarnation, .launch = std::move(launch)};
  }
  static Send to_stop(std::uint64_t serial, std::uint64_t incarnation, int signal) {
    return {.kind = Kind::stop, .serial = serial, .incarnation = incarnation, .signal = signal};
  }
  static Send to_kill(std::uint64_t serial, std::uint64_t incarnation) {
    return {.kind = Kind::kill, .serial = serial, .incarnation = incarnation};
  }
  static Send to_acknowledge(std::uint64_t serial, std::uint64_t incarnation) {
    return {.kind = Kind::acknowledge, .serial = serial, .incarnation = incarnation};
  }
  static Send to_forget(std::uint64_t serial) { return {.kind = Kind::forget, .serial = serial}; }
  static Send to_call(CallbackRequest request) {
    return {.kind = Kind::callback,
            .serial = request.serial,
            .incarnation = request.incarnation,
            .request = std::move(request)};
  }
};

// Where sends go. `call` is empty where there are no restart callables.
struct Delivery {
  keeper::Keeper& keeper;
  std::function<void(CallbackRequest)> call;

  void operator()(Send& send) const {
    switch (send.kind) {
      case Send::Kind::launch: return keeper.launch(std::move(*send.launch));
      case Send::Kind::stop: return keeper.stop(send.serial, send.incarnation, send.signal);
      case Send::Kind::kill: return keeper.kill(send.serial, send.incarnation);
      case Send::Kind::acknowledge: return keeper.acknowledge(send.serial, send.incarnation);
      case Send::Kind::forget: return keeper.forget(send.serial);
      case Send::Kind::callback:
        if (call) call(std::move(*send.request));
        return;
    }
  }
};

}  // namespace azora::orchestrator
