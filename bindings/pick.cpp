// The picks of `_core.Core` other than the builtin: the answer of GET /loadbalancer as bytes, and leases.
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "azora/balancer/balancer.hpp"
#include "azora/base/asio_loop.hpp"
#include "azora/model/json_writer.hpp"
#include "front.hpp"
#include "handle.hpp"
#include "pick_object.hpp"
#include "pick_answer.hpp"
#include "picker.hpp"

namespace azora::bindings {
namespace {

using balancer::Pick;
using balancer::PickRequest;
using Text = std::optional<std::string_view>;

PickRequest read_request(const Text& strategy, const Text& key) {
  PickRequest request{.key = key.value_or(std::string_view{}), .now = AsioLoop::steady_now()};
  if (strategy) request.strategy = read_strategy(*strategy);
  return request;
}

}  // namespace

std::string answer_json(const Pick& pick, const ServiceView& view, bool explain) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(pick.instance->id());
  json.key("endpoint");
  json.string(pick.instance->endpoint());
  json.key("health");
  json.raw(view.health_json());
  json.key("strategy");
  json.string(wire_name(pick.strategy));
  if (pick.lease) {
    json.key("lease");
    json.begin_object();
    json.key("id");
    json.string(pick.lease->id);
    json.key("ttlMs");
    json.integer(pick.lease->ttl.count());
    json.end_object();
  }
  if (explain) {
    json.key("panic");
    json.boolean(pick.panic);
    json.key("candidates");
    json.raw(balancer::candidates_json(pick.candidates));
  }
  json.end_object();
  return out;
}

namespace {

// Every candidate as it is before the pick. There may be many, so they are examined without the GIL. Turns are only
// taken under the GIL (Balancer::pick_alone), so this call takes none.
std::vector<balancer::Candidate> candidates(orchestrator::Orchestrator& core, std::string_view pool, PickRequest request) {
  const Unlock unlocked;
  request.peek = true;
  return std::move(value_or_throw(core.balancer().pick(pool, request)).candidates);
}

// A service may disappear between its choice and the look at its health: then another one is chosen.
std::string choose_json(orchestrator::Orchestrator& core, std::string_view pool, const PickRequest& request) {
  constexpr int kTries = 8;
  PickRequest plain = request;
  plain.explain = false;
  std::vector<balancer::Candidate> all;
  if (request.explain) all = candidates(core, pool, request);
  for (int i = 0; i < kTries; ++i) {
    Pick pick = value_or_throw(core.balancer().pick(pool, plain));
    const ViewPtr view = core.find(pick.instance->id());
    if (view && request.explain) {
      pick.candidates = std::move(all);
      const Unlock unlocked;
      return answer_json(pick, *view, true);
    }
    if (view) return answer_json(pick, *view, false);
    if (pick.lease) core.balancer().release(pick.lease->id, request.now);
  }
  throw Failure(Error{ErrorCode::no_healthy_instance,
                      "No healthy instances available for service type: " + std::string(pool), {}});
}

py::bytes pick_json(const CoreHandle& self, std::string_view pool, const Text& strategy,
                    const Text& key, const Text& peer, bool lease, bool explain, bool peek) {
  PickRequest request = read_request(strategy, key);
  request.peer = peer.value_or(std::string_view{});
  request.lease = lease;
  request.explain = explain;
  request.peek = peek;
  orchestrator::Orchestrator& core = self.live();
  return as_bytes(choose_json(core, pool, request));
}

// For a caller that got no instance and asks why.
py::bytes candidates_json(const CoreHandle& self, std::string_view pool, const Text& strategy) {
  const PickRequest request = read_request(strategy, {});
  orchestrator::Orchestrator& core = self.live();
  const std::string text = [&] {
    const Unlock unlocked;
    return balancer::candidates_json(core.balancer().candidates(pool, request.strategy));
  }();
  return as_bytes(text);
}

py::tuple lease(const CoreHandle& self, std::string_view pool, const Text& strategy, const Text& key) {
  PickRequest request = read_request(strategy, key);
  request.lease = true;
  const Pick pick = value_or_throw(self.live().balancer().pick(pool, request));
  PyObject* object = new_pick(*pick.instance);
  if (object == nullptr) throw py::error_already_set();
  return py::make_tuple(py::reinterpret_steal<py::object>(object), pick.lease->id,
                        pick.lease->ttl.count(), std::string(wire_name(pick.strategy)));
}

}  // namespace

void bind_picks(py::module_& module, CoreClass& core) {
  bind_pick_object(module);
  bind_picker(module);
  bind_front(core);
  core.def_property_readonly("pick", [](const CoreHandle& self) { return self.picker.attr("pick"); });
  core.def("pick_json", &pick_json, py::arg("pool"), py::arg("strategy"), py::arg("key"),
           py::arg("peer"), py::arg("lease"), py::arg("explain"), py::arg("peek"));
  core.def("candidates_json", &candidates_json, py::arg("pool"), py::arg("strategy"));
  core.def("lease", &lease, py::arg("pool"), py::arg("strategy"), py::arg("key"));
  core.def("release",
           [](const CoreHandle& self, std::string_view id) {
             return self.get().balancer().release(id, AsioLoop::steady_now());
           },
           py::arg("lease_id"));
}

}  // namespace azora::bindings
