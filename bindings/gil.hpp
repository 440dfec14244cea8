#pragma once
// Releases the GIL and takes it back.
// Up to Python 3.13, a thread that asks for the GIL of an interpreter that is ending is ended by pthread_exit(). This
// unwinds through our frames and would end the whole program at the first destructor. So such a thread rests here
// instead, as in Python 3.14: Python does not wait for daemon threads.
// Threads: any that holds the GIL. Ownership: none. Fails: never.
#include <Python.h>
#include <unistd.h>

namespace azora::bindings {

// Wraps calls from C++ frames into Python that may have to take the GIL.
template <typename Call>
auto or_rest(const Call& call) {
  try {
    return call();
  } catch (...) {  // C does not throw: this thread is being ended
    for (;;) pause();
  }
}

// While this object lives, other Python threads run, and this thread must not touch Python objects.
class Unlock {
 public:
  Unlock() : thread_(PyEval_SaveThread()) {}
  ~Unlock() {
    or_rest([this] { PyEval_RestoreThread(thread_); });
  }
  Unlock(const Unlock&) = delete;
  Unlock& operator=(const Unlock&) = delete;

 private:
  PyThreadState* thread_;
};

}  // namespace azora::bindings
