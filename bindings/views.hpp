#pragma once
// The Python object `_core.Service`: a view, with the figures of that moment. Ownership: shares the view.
#include <cstdint>
#include <utility>

#include "azora/model/view.hpp"

namespace azora::bindings {

struct ServiceHandle {
  // `reflected`: the last event that was published before the view was looked up.
  ServiceHandle(ViewPtr shared, std::uint64_t reflected)
      : view(std::move(shared)), figures(view->figures()), seq(reflected) {}

  ViewPtr view;
  Figures figures;
  std::uint64_t seq;
};

}  // namespace azora::bindings
