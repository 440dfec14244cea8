#pragma once
// An immutable array of shared_ptr<T>, which may have holes. A change makes a new table that shares all but
// O(log32 n) chunks of 32 with the old one. Indexes may grow for ever: chunks without entries take no memory.
// Threads: a table is a value; copies may be read and dropped on any thread. An Edit belongs to one thread.
// Ownership: chunks and entries are shared by all versions that contain them. Fails: never.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "azora/base/edit_token.hpp"

namespace azora {

template <typename T>
class CowTable {
 public:
  using Value = std::shared_ptr<T>;
  class Edit;

  // Number of entries, holes not counted.
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null for a hole and beyond the end. Lives as long as any version that has the entry.
  const Value& get(std::uint64_t index) const {
    static const Value kNone;
    if (!root_ || beyond(index)) return kNone;
    const Node* node = root_.get();
    for (int level = height_; level > 0; --level) {
      node = static_cast<const Inner*>(node)->children[slot(index, level)].get();
      if (!node) return kNone;
    }
    return static_cast<const Leaf*>(node)->values[slot(index, 0)];
  }

  [[nodiscard]] CowTable set(std::uint64_t index, Value value) const {
    Edit change = edit();
    change.set(index, std::move(value));
    return change.done();
  }
  [[nodiscard]] CowTable erase(std::uint64_t index) const { return set(index, nullptr); }
  // Many changes at once: chunks made by the edit are changed in place.
  Edit edit() const { return Edit(*this); }

  // Calls visit(value) for every entry in the order of their numbers.
  template <typename Visit>
  void for_each(Visit visit) const {
    if (root_) walk(*root_, height_, visit);
  }

 private:
  static constexpr int kBits = 5;
  static constexpr std::size_t kFan = 1U << kBits;

  struct Node {
    explicit Node(EditToken edit) : token(edit) {}
    EditToken token;
    std::uint32_t used = 0;  // children or values that are set
  };
  struct Inner : Node {
    using Node::Node;
    std::array<std::shared_ptr<Node>, kFan> children;
  };
  struct Leaf : Node {
    using Node::Node;
    std::array<Value, kFan> values;
  };

  static std::size_t slot(std::uint64_t index, int level) {
    return static_cast<std::size_t>(index >> (level * kBits)) & (kFan - 1);
  }
  bool beyond(std::uint64_t index) const {
    const int bits = (height_ + 1) * kBits;
    return bits < 64 && (index >> bits) != 0;
  }
  template <typename Visit>
  static void walk(const Node& node, int level, Visit& visit) {
    if (level == 0) {
      for (const Value& value : static_cast<const Leaf&>(node).values) {
        if (value) visit(value);
      }
      return;
    }
    for (const auto& child : static_cast<const Inner&>(node).children) {
      if (child) walk(*child, level - 1, visit);
    }
  }

  std::shared_ptr<Node> root_;
  int height_ = 0;  // levels of Inner above the leaves
  std::size_t size_ = 0;
};

// Collects one thread's changes for a new version; the version that it began with does not change.
template <typename T>
class CowTable<T>::Edit {
 public:
  explicit Edit(CowTable from) : table_(std::move(from)), token_(new_edit_token()) {}
  Edit(const Edit&) = delete;  // two edits must not own the same nodes
  Edit& operator=(const Edit&) = delete;

  const Value& get(std::uint64_t index) const { return table_.get(index); }
  std::size_t size() const { return table_.size(); }

  // A null value makes a hole.
  void set(std::uint64_t index, Value value) {
    if (!value && !table_.get(index)) return;
    grow_to(index);
    set_in(table_.root_, table_.height_, index, std::move(value));
    if (table_.size_ == 0) {
      table_.root_ = nullptr;
      table_.height_ = 0;
    }
  }
  void erase(std::uint64_t index) { set(index, nullptr); }

  // Returns the new version. The edit may go on: it never changes a version that it has returned.
  CowTable done() {
    token_ = new_edit_token();
    return table_;
  }

 private:
  void grow_to(std::uint64_t index) {
    if (!table_.root_) {
      while (table_.beyond(index)) ++table_.height_;
      return;
    }
    while (table_.beyond(index)) {
      auto above = std::make_shared<Inner>(token_);
      above->children[0] = std::move(table_.root_);
      above->used = 1;
      table_.root_ = std::move(above);
      ++table_.height_;
    }
  }

  template <typename Kind>
  Kind& own(std::shared_ptr<Node>& node) {
    if (!node) {
      node = std::make_shared<Kind>(token_);
    } else if (node->token != token_) {
      node = std::make_shared<Kind>(static_cast<const Kind&>(*node));
      node->token = token_;
    }
    return static_cast<Kind&>(*node);
  }

  void set_in(std::shared_ptr<Node>& place, int level, std::uint64_t index, Value value) {
    if (level == 0) {
      Leaf& leaf = own<Leaf>(place);
      Value& known = leaf.values[slot(index, 0)];
      const int change = (value ? 1 : 0) - (known ? 1 : 0);
      leaf.used += static_cast<std::uint32_t>(change);
      table_.size_ += static_cast<std::size_t>(change);
      known = std::move(value);
      return;
    }
    Inner& inner = own<Inner>(place);
    std::shared_ptr<Node>& child = inner.children[slot(index, level)];
    if (!child) ++inner.used;
    set_in(child, level - 1, index, std::move(value));
    if (child->used == 0) {
      child = nullptr;
      --inner.used;
    }
  }

  CowTable table_;
  EditToken token_;
};

}  // namespace azora
