#pragma once
// The Python object `_core.Pick`: one instance, immutable; and the cache of them.
// Threads: under the GIL. Ownership: the cache holds one reference to each object that it may return again. Fails: as
// Python functions do: null with an error set.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <vector>

#include "azora/balancer/instance.hpp"

namespace azora::bindings {

// Registers the type in the module.
void bind_pick_object(pybind11::module_& module);
// A new reference.
PyObject* new_pick(const balancer::Instance& instance);

// At most one object per live instance, found by its slot. The stamp shows if a slot belongs to another instance now,
// so the cache works without being told that a service is gone.
class PickCache {
 public:
  PickCache() = default;
  ~PickCache();
  PickCache(const PickCache&) = delete;
  PickCache& operator=(const PickCache&) = delete;

  // A new reference.
  PyObject* get(const balancer::Instance& instance) {
    const std::size_t slot = instance.slot();
    if (slot < entries_.size() && entries_[slot].stamp == instance.stamp()) [[likely]] {
      return Py_NewRef(entries_[slot].pick);
    }
    return make(instance);
  }

 private:
  struct Entry {
    std::uint64_t stamp = 0;
    PyObject* pick = nullptr;
  };
  PyObject* make(const balancer::Instance& instance);

  std::vector<Entry> entries_;
};

}  // namespace azora::bindings
