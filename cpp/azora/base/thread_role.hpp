#pragma once
// The threads that own something without a lock, as capabilities that clang's thread-safety analysis checks like
// mutexes. A class of the control thread says so to the compiler:
//
//   class Fleet {
//    public:
//     void put(SpecPtr spec) AZORA_CONTROL;                // callable with the role only
//    private:
//     SerialMap<State> services_ AZORA_OF_CONTROL;         // readable and writable with the role only
//   };
//
// A thread has a role from the moment its body makes a ThreadRole::Scope. The analysis ends where a call goes through a
// std::function or an interface without annotation; the function behind it says what it relies on, by
// control_thread.assert_held() in its body or, for a lambda, `[this]() AZORA_CONTROL { ... }`. Constructors and
// destructors are not analysed: an object is made and destroyed while no other thread has it.
// Threads: any. Ownership: none; roles are constants of the program, one for all orchestrators in it.
// Fails: assert_held() on a thread without the role is our bug (base/check.hpp): it stops test builds; release builds
// (NDEBUG) check nothing and pay nothing.
#include "azora/base/check.hpp"
#include "azora/base/thread_annotations.hpp"

namespace azora {

class AZORA_CAPABILITY("thread role") ThreadRole {
 public:
  constexpr ThreadRole() = default;
  ThreadRole(const ThreadRole&) = delete;
  ThreadRole& operator=(const ThreadRole&) = delete;

  // From here on the compiler assumes that the calling thread has the role.
  void assert_held() const AZORA_ASSERT_CAPABILITY(this) {
#ifndef NDEBUG
    AZORA_ASSERT(held());
#endif
  }
  // Whether the calling thread has it; in release builds always true.
  bool held() const {
#ifndef NDEBUG
    for (const Scope* scope = innermost_; scope != nullptr; scope = scope->outer_) {
      if (&scope->role_ == this) return true;
    }
    return false;
#else
    return true;
#endif
  }

  // The calling thread has the role until the scope ends; scopes of one thread are nested. For the top of a thread's
  // body, for an owner whose thread has ended, and for tests.
  class AZORA_SCOPED_CAPABILITY Scope {
   public:
#ifndef NDEBUG
    explicit Scope(const ThreadRole& role) AZORA_ACQUIRE(role) : role_(role), outer_(innermost_) { innermost_ = this; }
    ~Scope() AZORA_RELEASE() { innermost_ = outer_; }
#else
    explicit Scope(const ThreadRole& role) AZORA_ACQUIRE(role) { static_cast<void>(role); }
    ~Scope() AZORA_RELEASE() {}
#endif
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

#ifndef NDEBUG
   private:
    friend class ThreadRole;
    const ThreadRole& role_;
    const Scope* outer_;
#endif
  };

#ifndef NDEBUG
 private:
  static inline constinit thread_local const Scope* innermost_ = nullptr;
#endif
};

// The one that owns all state and takes every decision, `az-control`.
inline constinit ThreadRole control_thread;

}  // namespace azora

#define AZORA_CONTROL AZORA_REQUIRES(::azora::control_thread)
#define AZORA_OF_CONTROL AZORA_GUARDED_BY(::azora::control_thread)
