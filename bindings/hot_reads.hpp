#pragma once
// The hot reads of the REST server as the bodies of their answers: /health, /status and /services of a fleet that is not
// large, /services/{id}, /loadbalancer/{pool} with or without `strategy`, `key` and `lease`. Any other request, and any
// that is wrong or cannot be answered, is none of them: the routes in Python answer it and say why.
// Access is not judged here.
// Threads: under the GIL, which it never releases: nothing it does can wait. Ownership: shares the core.
// Fails: find() throws what the core and Python throw.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "azora/balancer/types.hpp"
#include "azora/model/view.hpp"
#include "handle.hpp"

namespace azora::bindings {

// What a GET asks, as it came: a path without the query, the query after `?`, the address of the caller (empty: none).
struct HotRead {
  std::string_view path;
  std::string_view query;
  std::string_view peer;
};

class HotReads {
 public:
  // Lists of more services than `small_fleet` are made on a thread, so that picks do not wait for them.
  HotReads(std::shared_ptr<CoreHandle> core, std::size_t small_fleet)
      : core_(std::move(core)), small_fleet_(small_fleet) {}

  struct Found {
    py::object body;  // bytes; null: the routes answer this request
    std::uint64_t seq = 0;  // the body reflects at least this event
    bool may_be_stored = true;
  };
  Found find(const HotRead& read);

 private:
  // The last body of a pick of an instance. It is valid while its view and figures are the newest ones.
  struct PickBody {
    std::uint64_t stamp = 0;
    balancer::Strategy strategy{};
    std::uint32_t figures = 0;
    ViewPtr view;
    py::object bytes;
  };

  py::object pick(std::string_view pool, const HotRead& read);
  py::object list(std::string_view path) const;
  py::object service(std::string_view id) const;

  std::shared_ptr<CoreHandle> core_;
  std::size_t small_fleet_;
  std::vector<PickBody> pick_bodies_;  // by the slot of the instance
};

}  // namespace azora::bindings
