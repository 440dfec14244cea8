#pragma once
// Giving the GIL away and taking it back.
// Up to Python 3.13 a thread that asks for the GIL of an interpreter that ends is ended by pthread_exit(), which
// unwinds through our frames and would end the whole program at the first destructor. Such a thread rests here
// instead, as in Python 3.14: daemon threads are not waited for.
// Threads: any that holds the GIL. Ownership: none. Fails: never.
#include <Python.h>
#include <unistd.h>

namespace azora::bindings {

// Calls into Python that may have to take the GIL, from frames of C++.
template <typename Call>
auto or_rest(const Call& call) {
  try {
    return call();
  } catch (...) {  // C never throws: it is the end of this thread
    for (;;) pause();
  }
}

// While it lives, other Python threads run and this one touches no Python object.
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
