#pragma once
// Starts a thread in the way that every thread of ours must start: it has a name; all signals are blocked, so that
// the host program's handlers never run on it; and an exception of its body ends the thread but never the host.
// Threads: any; `died` is called on the thread that ends. Ownership: the thread owns body and `died`.
// Fails: nullopt when the system has no thread to give.
#include <pthread.h>
#include <signal.h>

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "azora/base/check.hpp"

namespace azora {

// Called when an exception ends a thread, with the thread's name and the exception's message. The thread's work is
// not done any more.
using ThreadDied = std::function<void(const char* name, const std::string& reason)>;

namespace detail {

template <typename Body>
void run_thread_body(const char* name, Body& body, const ThreadDied& died) noexcept {
  try {
    body();
    return;
  } catch (...) {
    report_exception(name, std::current_exception());
    if (!died) return;
    try {
      died(name, exception_words(std::current_exception()));
    } catch (...) {
      report_exception(name, std::current_exception());
    }
  }
}

}  // namespace detail

// `name`: at most 15 characters, a literal.
template <typename Body>
std::optional<std::thread> start_thread(const char* name, Body body, ThreadDied died = nullptr) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::optional<std::thread> thread;
  try {
    thread.emplace([name, body = std::move(body), died = std::move(died)]() mutable {
      pthread_setname_np(pthread_self(), name);
      detail::run_thread_body(name, body, died);
    });
  } catch (const std::exception&) {
    thread.reset();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace azora
