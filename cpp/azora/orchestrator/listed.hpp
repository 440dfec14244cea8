#pragma once
// Services of one kind that are shown as a list of their own, by registration order.
// Threads: one at a time. Ownership: shares the views. Fails: never.
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "azora/model/view.hpp"

namespace azora::orchestrator {

class Listed {
 public:
  using List = std::shared_ptr<const std::vector<ViewPtr>>;  // null: no services

  void note(std::uint64_t order, const ViewPtr& view, bool is_listed) {
    if (is_listed) {
      views_[order] = view;
      changed_ = true;
    } else if (views_.erase(order) != 0) {
      changed_ = true;
    }
  }
  // True if the list differs from the one that was given last; then it is given.
  bool take(List& list) {
    if (!std::exchange(changed_, false)) return false;
    std::vector<ViewPtr> views;
    for (const auto& one : views_) views.push_back(one.second);
    list = views.empty() ? nullptr : std::make_shared<const std::vector<ViewPtr>>(std::move(views));
    return true;
  }

 private:
  std::map<std::uint64_t, ViewPtr> views_;
  bool changed_ = false;
};

}  // namespace azora::orchestrator
