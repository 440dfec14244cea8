// The Python object `_core.Core`: life and commands. Registration is in registration.cpp, reads are in core_reads.cpp.
#include <pybind11/stl.h>

#include "azora/actions/action.hpp"
#include "azora/base/file_limit.hpp"
#include "handle.hpp"
#include "picker.hpp"

namespace azora::bindings {
namespace {

using orchestrator::Options;
using orchestrator::Verb;

Options read_options(const py::dict& given) {
  Options options;
  options.build_id = AZORA_BUILD_ID;
  for (const auto& [key, value] : given) {
    const auto name = py::cast<std::string>(key);
    if (value.is_none()) continue;
    if (name == "keeper_path") {
      options.keeper_path = py::cast<std::string>(value);
    } else if (name == "runtime_dir") {
      options.runtime_dir = py::cast<std::string>(value);
    } else if (name == "state_dir") {
      options.state_dir = py::cast<std::string>(value);
    } else if (name == "history_max_age_ms") {
      options.history_max_age = Millis{py::cast<std::int64_t>(value)};
    } else if (name == "history_max_bytes") {
      options.history_max_bytes = py::cast<std::uint64_t>(value);
    } else if (name == "max_concurrent_starts") {
      options.max_concurrent_starts = py::cast<int>(value);
    } else if (name == "starts_per_second") {
      options.starts_per_second = py::cast<int>(value);
    } else {
      bad_argument(name + ": is not an option of the orchestrator");
    }
  }
  return options;
}

balancer::PoolChange read_pool_change(const py::dict& given) {
  balancer::PoolChange change;
  for (const auto& [key, value] : given) {
    const auto name = py::cast<std::string>(key);
    if (value.is_none()) continue;
    if (name == "strategy") {
      const auto strategy = py::cast<std::string>(value);
      change.strategy = balancer::strategy_from_wire(strategy);
      if (!change.strategy) {
        bad_argument("strategy: is \"" + strategy + "\"; it must be " + balancer::strategy_choices());
      }
    } else if (name == "allow_degraded") {
      change.allow_degraded = py::cast<bool>(value);
    } else if (name == "panic_threshold") {
      change.panic_threshold = py::cast<double>(value);
    } else if (name == "lease_ttl_ms") {
      change.lease_ttl = Millis{py::cast<std::int64_t>(value)};
    } else {
      bad_argument(name + ": is not an option of a pool");
    }
  }
  return change;
}

Verb read_verb(const std::string& name) {
  if (name == "start") return Verb::start;
  if (name == "stop") return Verb::stop;
  if (name == "restart") return Verb::restart;
  bad_argument("verb: is \"" + name + "\"; it must be start, stop or restart");
}

py::tuple tuple_of(const orchestrator::VerbAnswer& answer) {
  return py::make_tuple(answer.service_id, answer.incarnation, answer.seq, answer.affected);
}

py::tuple command(const CoreHandle& self, const std::string& verb, const std::string& id,
                  bool dependents, bool dependencies, const std::string& actor) {
  const Verb wanted = read_verb(verb);
  orchestrator::VerbAnswer answer;
  {
    const Unlock unlocked;
    answer = value_or_throw(self.live().command(wanted, id, dependents, dependencies, actor));
  }
  return tuple_of(answer);
}

py::tuple drain(const CoreHandle& self, const std::string& id, std::int64_t timeout_ms, const std::string& then,
                const std::string& actor) {
  const std::optional<DrainThen> next = drain_then_from_wire(then);
  if (!next) bad_argument("then: is \"" + then + "\"; it must be keep, stop or restart");
  orchestrator::VerbAnswer answer;
  {
    const Unlock unlocked;
    answer = value_or_throw(self.live().drain(id, {.timeout = Millis{timeout_ms}, .then = *next}, actor));
  }
  return tuple_of(answer);
}

py::tuple undrain(const CoreHandle& self, const std::string& id, const std::string& actor) {
  orchestrator::VerbAnswer answer;
  {
    const Unlock unlocked;
    answer = value_or_throw(self.live().undrain(id, actor));
  }
  return tuple_of(answer);
}

py::tuple maintain(const CoreHandle& self, const std::string& id, const std::string& reason,
                   std::optional<std::int64_t> until_ms, const std::string& actor) {
  orchestrator::MaintenanceWish wish{.reason = reason, .until = std::nullopt};
  if (until_ms) wish.until = WallTime{*until_ms};
  orchestrator::VerbAnswer answer;
  {
    const Unlock unlocked;
    answer = value_or_throw(self.live().maintain(id, wish, actor));
  }
  return tuple_of(answer);
}

py::tuple end_maintenance(const CoreHandle& self, const std::string& id, const std::string& actor) {
  orchestrator::VerbAnswer answer;
  {
    const Unlock unlocked;
    answer = value_or_throw(self.live().end_maintenance(id, actor));
  }
  return tuple_of(answer);
}

py::object next_action(const CoreHandle& self, std::int64_t timeout_ms) {
  auto request = [&] {
    const Unlock unlocked;
    return self.get().next_action(millis(timeout_ms));
  }();
  if (!request) return py::none();
  const auto& [run, spec, attempt, cause] = *request;
  return py::make_tuple(run.serial, spec->id, run.incarnation, attempt, cause);
}

}  // namespace

CoreHandle::~CoreHandle() {
  detach_picker(picker);
  picker = py::object();
  graph = {};
  if (process_.forked()) {
    (void)impl_.release();  // its threads, sockets and processes belong to the parent
    return;
  }
  const Unlock unlocked;  // stopping waits for processes
  impl_.reset();
}

orchestrator::Orchestrator& CoreHandle::live() const {
  if (closed_.load(std::memory_order_acquire)) {
    throw Failure(Error{ErrorCode::closed, "the orchestrator is closed", {}});
  }
  return get();
}

void CoreHandle::close(std::int64_t timeout_ms) {
  process_.check();
  closed_.store(true, std::memory_order_release);
  impl_->close(millis(timeout_ms));
}

void CoreHandle::leave() {
  process_.check();
  check_or_throw(impl_->leave());
  closed_.store(true, std::memory_order_release);
}

void bind_core(py::module_& module) {
  CoreClass core(module, "Core");
  core.def(py::init([](const py::dict& given) {
             Options options = read_options(given);
             auto handle = [&] {
               const Unlock unlocked;
               return std::make_shared<CoreHandle>(std::move(options));
             }();
             handle->picker = new_picker(*handle);
             return handle;
           }),
           py::arg("options"));
  core.def("start", [](const CoreHandle& self) { check_or_throw(self.live().start()); },
           Unlocked());
  core.def("stop",
           [](const CoreHandle& self, std::int64_t timeout_ms, bool for_good) {
             return value_or_throw(self.live().stop(millis(timeout_ms), for_good));
           },
           py::arg("timeout_ms"), py::arg("for_good") = false, Unlocked());
  core.def("close", &CoreHandle::close, py::arg("timeout_ms"), Unlocked());
  core.def("closed", &CoreHandle::closed);
  core.def("open", [](const CoreHandle& self) { check_or_throw(self.live().open()); }, Unlocked());
  core.def("leave", &CoreHandle::leave, Unlocked());
  core.def("unregister",
           [](const CoreHandle& self, const std::string& id, const std::string& actor) {
             return value_or_throw(self.live().unregister(id, actor));
           },
           py::arg("id"), py::arg("actor"), Unlocked());
  core.def("command", &command, py::arg("verb"), py::arg("id"), py::arg("dependents"),
           py::arg("dependencies"), py::arg("actor"));
  core.def("drain", &drain, py::arg("id"), py::arg("timeout_ms"), py::arg("then"), py::arg("actor"));
  core.def("undrain", &undrain, py::arg("id"), py::arg("actor"));
  core.def("maintain", &maintain, py::arg("id"), py::arg("reason"), py::arg("until_ms"), py::arg("actor"));
  core.def("end_maintenance", &end_maintenance, py::arg("id"), py::arg("actor"));
  core.def("wait_for",
           [](const CoreHandle& self, const std::string& id, const std::string& what, std::int64_t timeout_ms,
              std::int64_t horizon_ms) {
             check_or_throw(self.live().wait_for(id, what, millis(timeout_ms), millis(horizon_ms)));
           },
           py::arg("id"), py::arg("what"), py::arg("timeout_ms"), py::arg("horizon_ms") = 0, Unlocked());
  core.def("configure_pool",
           [](const CoreHandle& self, const std::string& name, const py::dict& given) {
             const balancer::PoolChange change = read_pool_change(given);
             const Unlock unlocked;
             check_or_throw(self.live().configure_pool(name, change));
           },
           py::arg("name"), py::arg("options"));
  core.def("next_action", &next_action, py::arg("timeout_ms"));
  core.def("action_done",
           [](const CoreHandle& self, std::uint64_t serial, std::uint64_t incarnation, bool ok,
              std::string reason) {
             self.live().action_done({serial, incarnation}, {.ok = ok, .reason = std::move(reason)});
           },
           py::arg("serial"), py::arg("incarnation"), py::arg("ok"), py::arg("reason"), Unlocked());
  core.def("handler_failed",
           [](const CoreHandle& self, std::string reason) {
             self.live().handler_failed(std::move(reason));
           },
           py::arg("reason"), Unlocked());
  bind_registration(module, core);
  bind_core_reads(module, core);
  bind_history(core);
  bind_picks(module, core);

  module.def("raise_file_limit", &raise_file_limit);
}

}  // namespace azora::bindings
