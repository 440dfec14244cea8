#pragma once
// Runs a function when its scope is left before done() was called, so that an exception undoes what was begun.
// Threads: one. Ownership: owns the function. Fails: never; the function must not throw.
#include <utility>

namespace azora {

template <typename Function>
class UndoUnlessDone {
 public:
  explicit UndoUnlessDone(Function undo) : undo_(std::move(undo)) {}
  ~UndoUnlessDone() {
    if (!done_) undo_();
  }
  UndoUnlessDone(const UndoUnlessDone&) = delete;
  UndoUnlessDone& operator=(const UndoUnlessDone&) = delete;
  void done() { done_ = true; }

 private:
  Function undo_;
  bool done_ = false;
};

}  // namespace azora
