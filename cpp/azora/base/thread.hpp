#pragma once
// Starts a thread as every thread of ours must be: named, and with all signals blocked, so that the host
// program's handlers never run on it.
#include <optional>
#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

namespace azora {

// `name`: at most 15 characters, static text. nullopt: the system has no thread to give.
template <typename Body>
std::optional<std::thread> start_thread(const char* name, Body body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::optional<std::thread> thread;
  try {
    thread.emplace([name, body = std::move(body)]() mutable {
      pthread_setname_np(pthread_self(), name);
      body();
    });
  } catch (const std::system_error&) {
    thread.reset();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace azora
