#pragma once
// An immutable map. Each value contains its key, a string that KeyOf finds. A change makes a new map that shares all
// but O(log32 n) small nodes with the old one, so readers keep whole versions for the price of a pointer. (It is a
// hash trie; its nodes hold values and children apart, each set marked by 32 bits.) No key is kept twice: an entry
// costs what its value does.
// Threads: a map is a value; copies may be read and dropped on any thread. An Edit belongs to one thread.
// Ownership: nodes are shared by all versions that contain them; a value's key never changes. Fails: never.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/base/edit_token.hpp"
#include "azora/base/hash.hpp"

namespace azora {

struct XxHash {
  std::uint64_t operator()(std::string_view key) const { return hash_bytes(key); }
};

template <typename T, typename KeyOf, typename Hash = XxHash>
class PersistentMap {
 public:
  class Edit;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Lives as long as this version.
  const T* find(std::string_view key) const {
    const std::uint64_t hash = Hash{}(key);
    const Node* node = root_.get();
    for (int shift = 0; node; shift += kBits) {
      if (shift >= kHashBits) return find_among(*node, key);
      const std::uint32_t bit = bit_of(hash, shift);
      if (node->value_bits & bit) {
        const T& value = node->values[index_of(node->value_bits, bit)];
        return KeyOf{}(value) == key ? &value : nullptr;
      }
      node =
          node->child_bits & bit ? node->children[index_of(node->child_bits, bit)].get() : nullptr;
    }
    return nullptr;
  }
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  [[nodiscard]] PersistentMap set(T value) const {
    Edit change = edit();
    change.set(std::move(value));
    return change.done();
  }
  [[nodiscard]] PersistentMap erase(std::string_view key) const {
    Edit change = edit();
    change.erase(key);
    return change.done();
  }
  // Many changes at once: nodes made by the edit are changed in place.
  Edit edit() const { return Edit(*this); }

  // Calls visit(value) for every value; the order depends on the keys alone.
  template <typename Visit>
  void for_each(Visit visit) const {
    if (root_) walk(*root_, visit);
  }

 private:
  static constexpr int kBits = 5;
  static constexpr int kHashBits =
      64;  // deeper values share the whole hash and are kept in a plain list

  struct Node {
    explicit Node(EditToken edit) : token(edit) {}
    EditToken token;
    std::uint32_t value_bits = 0;
    std::uint32_t child_bits = 0;
    std::vector<T> values;
    std::vector<std::shared_ptr<Node>> children;
  };
  using NodePtr = std::shared_ptr<Node>;

  static std::uint32_t bit_of(std::uint64_t hash, int shift) {
    return std::uint32_t{1} << ((hash >> shift) & 31U);
  }
  static std::size_t index_of(std::uint32_t bits, std::uint32_t bit) {
    return static_cast<std::size_t>(std::popcount(bits & (bit - 1)));
  }
  static const T* find_among(const Node& node, std::string_view key) {
    for (const T& value : node.values) {
      if (KeyOf{}(value) == key) return &value;
    }
    return nullptr;
  }
  template <typename Visit>
  static void walk(const Node& node, Visit& visit) {
    for (const T& value : node.values) visit(value);
    for (const NodePtr& child : node.children) walk(*child, visit);
  }

  NodePtr root_;
  std::size_t size_ = 0;
};

// Collects one thread's changes for a new version; the version that it began with does not change.
template <typename T, typename KeyOf, typename Hash>
class PersistentMap<T, KeyOf, Hash>::Edit {
 public:
  explicit Edit(PersistentMap from) : map_(std::move(from)), token_(new_edit_token()) {}
  Edit(const Edit&) = delete;  // two edits must not own the same nodes
  Edit& operator=(const Edit&) = delete;

  const T* find(std::string_view key) const { return map_.find(key); }
  std::size_t size() const { return map_.size(); }

  // Replaces the value with the same key, if there is one.
  void set(T value) {
    const std::uint64_t hash = Hash{}(KeyOf{}(value));
    if (!map_.root_) map_.root_ = std::make_shared<Node>(token_);
    insert(map_.root_, std::move(value), hash, 0);
  }

  // False when there was no such key.
  bool erase(std::string_view key) {
    if (!map_.contains(key)) return false;  // so that a miss copies nothing
    remove(map_.root_, key, Hash{}(key), 0);
    --map_.size_;
    if (map_.size_ == 0) map_.root_ = nullptr;
    return true;
  }

  // Returns the new version. The edit may go on: it never changes a version that it has returned.
  PersistentMap done() {
    token_ = new_edit_token();
    return map_;
  }

 private:
  Node& own(NodePtr& node) {
    if (node->token != token_) {
      node = std::make_shared<Node>(*node);
      node->token = token_;
    }
    return *node;
  }

  void insert(NodePtr& place, T value, std::uint64_t hash, int shift) {
    Node& node = own(place);
    if (shift >= kHashBits) return insert_among(node, std::move(value));
    const std::uint32_t bit = bit_of(hash, shift);
    if (node.child_bits & bit) {
      return insert(node.children[index_of(node.child_bits, bit)], std::move(value), hash, shift + kBits);
    }
    const auto at = static_cast<std::ptrdiff_t>(index_of(node.value_bits, bit));
    if (!(node.value_bits & bit)) {
      node.values.insert(node.values.begin() + at, std::move(value));
      node.value_bits |= bit;
      ++map_.size_;
      return;
    }
    T& known = node.values[static_cast<std::size_t>(at)];
    if (KeyOf{}(known) == KeyOf{}(value)) {
      known = std::move(value);
      return;
    }
    // Two keys want one place: both move one level down.
    auto child = std::make_shared<Node>(token_);
    --map_.size_;  // `known` is counted again below
    const std::uint64_t known_hash = Hash{}(KeyOf{}(known));
    insert(child, std::move(known), known_hash, shift + kBits);
    insert(child, std::move(value), hash, shift + kBits);
    node.values.erase(node.values.begin() + at);
    node.value_bits &= ~bit;
    node.children.insert(
        node.children.begin() + static_cast<std::ptrdiff_t>(index_of(node.child_bits, bit)), child);
    node.child_bits |= bit;
  }

  void insert_among(Node& node, T value) {
    for (T& known : node.values) {
      if (KeyOf{}(known) != KeyOf{}(value)) continue;
      known = std::move(value);
      return;
    }
    node.values.push_back(std::move(value));
    ++map_.size_;
  }

  // `key` is below `place`. A child left with one value and no children gives that value to its
  // parent, so that equal contents have equal shapes and no chain of empty nodes stays behind.
  void remove(NodePtr& place, std::string_view key, std::uint64_t hash, int shift) {
    Node& node = own(place);
    if (shift >= kHashBits) {
      std::erase_if(node.values, [&](const T& value) { return KeyOf{}(value) == key; });
      return;
    }
    const std::uint32_t bit = bit_of(hash, shift);
    const auto value_at = static_cast<std::ptrdiff_t>(index_of(node.value_bits, bit));
    if (node.value_bits & bit) {
      node.values.erase(node.values.begin() + value_at);
      node.value_bits &= ~bit;
      return;
    }
    const auto child_at = static_cast<std::ptrdiff_t>(index_of(node.child_bits, bit));
    NodePtr& child = node.children[static_cast<std::size_t>(child_at)];
    remove(child, key, hash, shift + kBits);
    if (!child->children.empty() || child->values.size() > 1) return;
    T last = child->values.front();
    node.children.erase(node.children.begin() + child_at);
    node.child_bits &= ~bit;
    node.values.insert(node.values.begin() + value_at, std::move(last));
    node.value_bits |= bit;
  }

  PersistentMap map_;
  EditToken token_;
};

}  // namespace azora
