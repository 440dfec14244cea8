// Calls that no thread waits for: an event loop gets their answers through a descriptor.
#include "pending_calls.hpp"

#include <pybind11/stl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/fd.hpp"
#include "azora/base/mutex.hpp"

namespace azora::bindings {
namespace {

using Ids = std::vector<std::string>;

// The place where the control thread leaves its answers, and the descriptor that is readable while there are any.
class Answers {
 public:
  struct Answer {
    std::uint64_t ticket;
    Result<Ids> result;  // the ids that a stop left over; empty for other calls
  };

  int fd() const { return fd_.get(); }
  void add(std::uint64_t ticket, Result<Ids> result) {
    bool first = false;
    {
      MutexLock lock(mutex_);
      first = answers_.empty();
      answers_.push_back({ticket, std::move(result)});
    }
    if (!first) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t wrote = ::write(fd(), &one, sizeof one);
  }
  std::vector<Answer> take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd(), &count, sizeof count);
    MutexLock lock(mutex_);
    return std::exchange(answers_, {});
  }

 private:
  Fd fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Mutex mutex_;
  std::vector<Answer> answers_ AZORA_GUARDED_BY(mutex_);
};

template <typename T>
Result<Ids> without_value(const Result<T>& result) {
  if (!result) return result.error();
  return Ids();
}

// The Python object `_core.PendingCalls`. Under the GIL; the answers live on while the control thread owes some.
class PendingCalls {
 public:
  explicit PendingCalls(std::shared_ptr<CoreHandle> core) : core_(std::move(core)) {}
  ~PendingCalls() {
    // In a forked child the descriptor and the lock belong to the parent.
    if (process_.forked()) {
      new std::shared_ptr<Answers>(std::move(answers_));
      return;
    }
    for (const auto& [ticket, cancel] : waits_) cancel();
  }
  PendingCalls(const PendingCalls&) = delete;
  PendingCalls& operator=(const PendingCalls&) = delete;

  int fileno() const { return answers_->fd(); }

  std::uint64_t begin_register(const std::vector<std::string>& texts) {
    const std::uint64_t ticket = ++last_;
    core_->live().register_requests(texts, [answers = answers_, ticket](const Result<std::uint64_t>& result) {
      answers->add(ticket, without_value(result));
    });
    return ticket;
  }
  std::uint64_t begin_wait(const std::string& id, const std::string& what, std::int64_t timeout_ms,
                           std::int64_t horizon_ms) {
    const std::uint64_t ticket = ++last_;
    waits_[ticket] = core_->live().wait_for(id, what, millis(timeout_ms), millis(horizon_ms),
                                            [answers = answers_, ticket](const Result<void>& result) {
                                              answers->add(ticket, result ? Result<Ids>(Ids()) : Result<Ids>(result.error()));
                                            });
    return ticket;
  }
  std::uint64_t begin_stop(std::int64_t timeout_ms) {
    const std::uint64_t ticket = ++last_;
    core_->live().stop(millis(timeout_ms),
                       [answers = answers_, ticket](const Result<Ids>& result) { answers->add(ticket, result); });
    return ticket;
  }
  // The caller of that wait has left. Ignored for other calls, and for a wait that is over.
  void cancel(std::uint64_t ticket) {
    const auto wait = waits_.extract(ticket);
    if (!wait.empty()) wait.mapped()();
  }

  py::list take() {
    process_.check();
    py::list out;
    for (const Answers::Answer& answer : answers_->take()) {
      waits_.erase(answer.ticket);
      py::object error = py::none();
      py::object left = py::none();
      if (answer.result) {
        left = py::cast(answer.result.value());
      } else {
        set_python_error(Failure(answer.result.error()));
        error = py::error_already_set().value();
      }
      out.append(py::make_tuple(answer.ticket, left, error));
    }
    return out;
  }

 private:
  std::shared_ptr<CoreHandle> core_;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::map<std::uint64_t, std::function<void()>> waits_;  // what cancels each
  std::uint64_t last_ = 0;
  OwningProcess process_;
};

}  // namespace

void bind_pending_calls(py::module_& module, CoreClass& core) {
  py::class_<PendingCalls>(module, "PendingCalls",
                           "Calls that no thread waits for. Each begin_..() returns a ticket; once the descriptor is\n"
                           "readable, take() returns (ticket, ids that a stop left running, error or None) of those that are done.")
      .def("fileno", &PendingCalls::fileno)
      .def("begin_register", &PendingCalls::begin_register, py::arg("texts"))
      .def("begin_wait", &PendingCalls::begin_wait, py::arg("id"), py::arg("what"), py::arg("timeout_ms"),
           py::arg("horizon_ms") = 0)
      .def("begin_stop", &PendingCalls::begin_stop, py::arg("timeout_ms"))
      .def("cancel", &PendingCalls::cancel, py::arg("ticket"))
      .def("take", &PendingCalls::take);
  core.def("pending_calls",
           [](const std::shared_ptr<CoreHandle>& self) { return std::make_unique<PendingCalls>(self); });
}

}  // namespace azora::bindings
