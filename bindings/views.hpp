#pragma once
// The Python object `_core.Service`. Ownership: shares the view.
#include <utility>

#include "azora/model/view.hpp"

namespace azora::bindings {

struct ServiceHandle {
  explicit ServiceHandle(ViewPtr shared) : view(std::move(shared)) {}
  ViewPtr view;
};

}  // namespace azora::bindings
