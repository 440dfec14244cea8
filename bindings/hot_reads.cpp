#include "hot_reads.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "azora/balancer/balancer.hpp"
#include "azora/base/asio_loop.hpp"
#include "azora/model/iso_time.hpp"
#include "pick_answer.hpp"

namespace azora::bindings {
namespace {

using balancer::Pick;
using balancer::PickRequest;

constexpr std::size_t kPickBodies = 4096;  // in a larger fleet only the first slots are cached

py::object to_bytes(const std::string& text) {
  return py::reinterpret_steal<py::object>(
      PyBytes_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
}

// The one segment after that prefix; empty: the path has another form.
std::string_view segment(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return {};
  path.remove_prefix(prefix.size());
  return path.find('/') == std::string_view::npos ? path : std::string_view{};
}

// Characters that mean themselves, however a query is decoded.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~' || c == ':' || c == '/' || c == '@';
}

// Takes one `name=value` into the request. False: the routes judge it.
bool take_parameter(std::string_view parameter, PickRequest& request, bool& lease_given) {
  const std::size_t equals = parameter.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = parameter.substr(0, equals);
  const std::string_view value = parameter.substr(equals + 1);
  if (value.empty() || !std::ranges::all_of(value, is_plain)) return false;
  if (name == "strategy" && !request.strategy) {
    request.strategy = balancer::strategy_from_wire(value);
    return request.strategy.has_value();
  }
  if (name == "key" && request.key.empty()) {
    request.key = value;
    return true;
  }
  if (name == "lease" && !lease_given) {
    lease_given = true;
    request.lease = value == "auto";
    return request.lease || value == "none";
  }
  return false;
}

// The query of a pick. False: it has another parameter than those, one of them twice, one that is wrong, or one whose
// value must be decoded: the routes judge it.
bool take_query(std::string_view query, PickRequest& request) {
  bool lease_given = false;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    if (!take_parameter(query.substr(0, end), request, lease_given)) return false;
    if (end == std::string_view::npos) return true;
    query.remove_prefix(end + 1);
    if (query.empty()) return false;  // ends with `&`
  }
  return true;
}

py::object health_body() {
  std::string text = R"({"status":"ok","timestamp":")";
  append_iso_time(text, AsioLoop::wall_now());
  text += "\"}";
  return to_bytes(text);
}

}  // namespace

HotReads::Found HotReads::find(const HotRead& read) {
  if (core_->closed() || core_->forked()) return {};
  Found found{.seq = core_->get().seq()};  // read before the body is made
  if (const std::string_view pool = segment(read.path, "/loadbalancer/"); !pool.empty()) {
    found.body = pick(pool, read);
    found.may_be_stored = false;
  } else if (!read.query.empty()) {
    return {};
  } else if (read.path == "/status" || read.path == "/services") {
    found.body = list(read.path);
  } else if (const std::string_view id = segment(read.path, "/services/"); !id.empty()) {
    found.body = service(id);
  } else if (read.path == "/health") {
    found.body = health_body();
  }
  return found;
}

py::object HotReads::pick(std::string_view pool, const HotRead& read) {
  PickRequest request{.peer = read.peer, .now = AsioLoop::steady_now()};
  if (!take_query(read.query, request)) return {};
  orchestrator::Orchestrator& core = core_->get();
  const Result<Pick> picked = core.balancer().pick(pool, request);
  if (!picked) return {};
  const Pick& pick = picked.value();
  ViewPtr view = core.find(pick.instance->id());
  if (!view) {  // it was unregistered since
    if (pick.lease) core.balancer().release(pick.lease->id, request.now);
    return {};
  }
  const std::size_t slot = pick.instance->slot();
  if (pick.lease || slot >= kPickBodies) return to_bytes(answer_json(pick, *view, false));
  if (slot >= pick_bodies_.size()) pick_bodies_.resize(slot + 1);
  PickBody& body = pick_bodies_[slot];
  const std::uint32_t figures = view->figures_version();  // read before the figures: the next call sees later writes
  const bool known = body.view == view && body.figures == figures && body.stamp == pick.instance->stamp() &&
                     body.strategy == pick.strategy;
  if (!known) {
    py::object made = to_bytes(answer_json(pick, *view, false));
    body = {pick.instance->stamp(), pick.strategy, figures, std::move(view), std::move(made)};
  }
  return body.bytes;
}

py::object HotReads::service(std::string_view id) const {
  const ViewPtr view = core_->get().find(id);
  return view ? to_bytes(view->service_json()) : py::object();
}

py::object HotReads::list(std::string_view path) const {
  orchestrator::Orchestrator& core = core_->get();
  if (core.totals().total > small_fleet_) return {};
  return to_bytes(path == "/status" ? *core.status_json(false) : *core.services_json(std::nullopt));
}

}  // namespace azora::bindings
