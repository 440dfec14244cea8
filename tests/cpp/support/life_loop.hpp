#pragma once
// The loop of one program among others that outlive it: when the program ends, nothing that it has posted or set a timer
// for runs any more. Then it serves the next life of that program.
// Threads: as FakeLoop. Ownership: borrows the loop, which outlives it.
#include <memory>
#include <utility>

#include "support/fake_loop.hpp"

namespace azora {

class LifeLoop : public Loop {
 public:
  explicit LifeLoop(FakeLoop& loop) : loop_(loop), owner_(loop.new_owner()), ended_(std::make_shared<bool>(false)) {}
  void end() {
    *std::exchange(ended_, std::make_shared<bool>(false)) = true;
    loop_.drop_timers(std::exchange(owner_, loop_.new_owner()));
  }
  Now now() override { return loop_.now(); }
  void post(Task task) override {
    loop_.post([ended = ended_, task = std::move(task)] {
      if (!*ended) task();
    });
  }
  TimerId at(SteadyTime at, Task task) override { return loop_.at_of(owner_, at, std::move(task)); }
  void cancel(TimerId id) override { loop_.cancel(id); }

 private:
  FakeLoop& loop_;
  int owner_;
  std::shared_ptr<bool> ended_;
};

}  // namespace azora
