// Registration through `_core.Core`. The calling thread waits, or an event loop gets the answer through a descriptor.
#include <pybind11/stl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "azora/base/fd.hpp"
#include "azora/base/mutex.hpp"
#include "azora/model/spec_parser.hpp"
#include "azora/orchestrator/address_faults.hpp"
#include "handle.hpp"

namespace azora::bindings {
namespace {

Origin read_origin(const std::string& name) {
  if (name == "file") return Origin::file;
  if (name == "python") return Origin::python;
  if (name == "rest") return Origin::rest;
  bad_argument("origin: \"" + name + "\" is none of file, python, rest");
}

std::vector<SpecPtr> parse_texts(const std::vector<std::string>& texts, Origin origin, const std::string& base_dir,
                                 const std::vector<bool>& callables) {
  ParseOptions options{.origin = origin, .base_dir = base_dir, .given_action = nullptr};
  std::vector<SpecPtr> specs;
  specs.reserve(texts.size());
  std::vector<Fault> faults;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    options.given_action = i < callables.size() && callables[i] ? &kCallableAction : nullptr;
    Result<std::vector<SpecPtr>> parsed = parse_service(texts[i], options);
    if (parsed) {
      for (SpecPtr& spec : parsed.value()) specs.push_back(std::move(spec));
      continue;
    }
    if (parsed.error().code != ErrorCode::invalid_spec) throw Failure(std::move(parsed).error());
    const std::string prefix = texts.size() > 1 ? "services[" + std::to_string(i) + "]." : "";
    for (const Fault& fault : parsed.error().faults) {
      faults.push_back({prefix + fault.field, fault.message});
    }
  }
  if (!faults.empty()) throw Failure(spec_error(std::move(faults)));
  return specs;
}

orchestrator::Apply read_apply(const std::string& name) {
  if (name == "next-start") return orchestrator::Apply::at_next_start;
  if (name == "restart") return orchestrator::Apply::restart;
  bad_argument("apply: is \"" + name + "\"; it must be next-start or restart");
}

std::uint64_t register_texts(const CoreHandle& self, const std::vector<std::string>& texts,
                             const std::string& origin, const std::string& base_dir,
                             const std::vector<bool>& callables, const std::string& apply) {
  const orchestrator::Apply when = read_apply(apply);
  if (read_origin(origin) == Origin::rest) return value_or_throw(self.live().register_requests(texts));
  std::vector<SpecPtr> specs = parse_texts(texts, read_origin(origin), base_dir, callables);
  return value_or_throw(self.live().register_many(std::move(specs), origin, when));
}

// The place where the control thread leaves its answers, and the descriptor that is readable while there are any.
class Answers {
 public:
  using Answer = std::pair<std::uint64_t, std::optional<Error>>;  // ticket; the error if it was refused

  int fd() const { return fd_.get(); }
  void add(std::uint64_t ticket, const Result<std::uint64_t>& result) {
    bool first = false;
    {
      MutexLock lock(mutex_);
      first = answers_.empty();
      answers_.emplace_back(ticket, result ? std::nullopt : std::optional<Error>(result.error()));
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

// The Python object `_core.Registrations`. Under the GIL; the answers live on while the control thread owes some.
class Registrations {
 public:
  explicit Registrations(std::shared_ptr<CoreHandle> core) : core_(std::move(core)) {}
  ~Registrations() {
    // In a forked child the descriptor and the lock belong to the parent.
    if (process_.forked()) new std::shared_ptr<Answers>(std::move(answers_));
  }
  Registrations(const Registrations&) = delete;
  Registrations& operator=(const Registrations&) = delete;

  int fileno() const { return answers_->fd(); }
  std::uint64_t begin(const std::string& text) {
    const std::uint64_t ticket = ++last_;
    core_->live().register_requests(
        {text}, [answers = answers_, ticket](const Result<std::uint64_t>& result) { answers->add(ticket, result); });
    return ticket;
  }
  py::list take() {
    process_.check();
    py::list out;
    for (const Answers::Answer& answer : answers_->take()) {
      py::object error = py::none();
      if (answer.second) {
        set_python_error(Failure(*answer.second));
        error = py::error_already_set().value();
      }
      out.append(py::make_tuple(answer.first, error));
    }
    return out;
  }

 private:
  std::shared_ptr<CoreHandle> core_;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
  std::uint64_t last_ = 0;
  OwningProcess process_;
};

std::vector<std::pair<std::string, std::string>> check(const std::string& text,
                                                       const std::string& origin,
                                                       const std::string& base_dir) {
  const Result<std::vector<SpecPtr>> parsed = parse_service(
      text, {.origin = read_origin(origin), .base_dir = base_dir, .given_action = nullptr});
  std::vector<std::pair<std::string, std::string>> faults;
  if (parsed) return faults;
  for (const Fault& fault : parsed.error().faults) faults.emplace_back(fault.field, fault.message);
  if (faults.empty()) faults.emplace_back("", parsed.error().message);
  return faults;
}

std::vector<std::pair<std::size_t, std::string>> check_addresses(const std::vector<std::string>& texts,
                                                                const std::string& base_dir, const std::string& host,
                                                                std::uint16_t port) {
  const ParseOptions options{.origin = Origin::file, .base_dir = base_dir, .given_action = nullptr};
  std::vector<std::pair<std::size_t, std::string>> faults;
  for (auto& fault : orchestrator::address_faults(texts, options, host, port)) {
    faults.emplace_back(fault.index, std::move(fault.message));
  }
  return faults;
}

}  // namespace

void bind_registration(py::module_& module, CoreClass& core) {
  core.def("register", &register_texts, py::arg("texts"), py::arg("origin"), py::arg("base_dir"),
           py::arg("callables"), py::arg("apply") = "next-start", Unlocked());
  core.def(
      "set_own_address",
      [](const CoreHandle& self, const std::string& host, std::uint16_t port) {
        check_or_throw(self.live().set_own_address(host, port));
      },
      py::arg("host"), py::arg("port"), Unlocked());
  py::class_<Registrations>(module, "Registrations",
                            "Registrations by REST that no thread waits for: begin() answers a ticket; once the\n"
                            "descriptor is readable, take() answers (ticket, error or None) of those that are done.")
      .def("fileno", &Registrations::fileno)
      .def("begin", &Registrations::begin, py::arg("text"))
      .def("take", &Registrations::take);
  core.def("registrations",
           [](const std::shared_ptr<CoreHandle>& self) { return std::make_unique<Registrations>(self); });
  module.def("check", &check, py::arg("text"), py::arg("origin"), py::arg("base_dir"), Unlocked());
  module.def("check_addresses", &check_addresses, py::arg("texts"), py::arg("base_dir"), py::arg("host"),
             py::arg("port"), Unlocked());
  module.def("service_schema", [] { return service_json_schema(); });
}

}  // namespace azora::bindings
