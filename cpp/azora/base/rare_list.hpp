#pragma once
// A list that most objects of a large fleet leave empty: it costs one pointer until it has elements.
// Threads: as the elements allow. Ownership: the elements. Fails: never.
#include <utility>
#include <vector>

#include "azora/base/boxed.hpp"

namespace azora {

template <typename T>
class RareList {
 public:
  RareList() = default;
  RareList(std::vector<T> values) {  // implicit: it stands for the vector
    if (!values.empty()) values_ = std::move(values);
  }

  bool empty() const { return !values_; }
  const std::vector<T>& get() const {
    static const std::vector<T> kNone;
    return values_ ? *values_ : kNone;
  }
  operator const std::vector<T>&() const { return get(); }

 private:
  Boxed<std::vector<T>> values_;  // never empty
};

}  // namespace azora
