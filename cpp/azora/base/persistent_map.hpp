#pragma once
// An immutable map from text to T: a change makes a new map that shares all but O(log32 n) small
// nodes with the old one, so that readers keep whole versions for the price of a pointer (a hash
// trie; its nodes hold entries and children apart, each set marked by 32 bits). Threads: a map is a
// value; copies may be read and dropped on any thread. An Edit belongs to one thread. Ownership:
// nodes and entries are shared by all versions that contain them. Fails: never.
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

template <typename T, typename Hash = XxHash>
class PersistentMap {
 public:
  struct Entry {
    std::uint64_t hash;
    std::string key;
    T value;
  };
  class Edit;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Lives as long as any version that has the entry.
  const T* find(std::string_view key) const {
    const std::uint64_t hash = Hash{}(key);
    const Node* node = root_.get();
    for (int shift = 0; node; shift += kBits) {
      if (shift >= kHashBits) return find_among(*node, key);
      const std::uint32_t bit = bit_of(hash, shift);
      if (node->entry_bits & bit) {
        const Entry& entry = *node->entries[index_of(node->entry_bits, bit)];
        return entry.hash == hash && entry.key == key ? &entry.value : nullptr;
      }
      node =
          node->child_bits & bit ? node->children[index_of(node->child_bits, bit)].get() : nullptr;
    }
    return nullptr;
  }
  bool contains(std::string_view key) const { return find(key) != nullptr; }

  [[nodiscard]] PersistentMap set(std::string key, T value) const {
    Edit change = edit();
    change.set(std::move(key), std::move(value));
    return change.done();
  }
  [[nodiscard]] PersistentMap erase(std::string_view key) const {
    Edit change = edit();
    change.erase(key);
    return change.done();
  }
  // Many changes at once: nodes made by the edit are changed in place.
  Edit edit() const { return Edit(*this); }

  // Calls visit(key, value) for every entry; the order depends on the keys alone.
  template <typename Visit>
  void for_each(Visit visit) const {
    if (root_) walk(*root_, visit);
  }

 private:
  static constexpr int kBits = 5;
  static constexpr int kHashBits =
      64;  // below it entries share the whole hash and stand in a plain list

  using EntryPtr = std::shared_ptr<const Entry>;
  struct Node {
    explicit Node(EditToken edit) : token(edit) {}
    EditToken token;
    std::uint32_t entry_bits = 0;
    std::uint32_t child_bits = 0;
    std::vector<EntryPtr> entries;
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
    for (const EntryPtr& entry : node.entries) {
      if (entry->key == key) return &entry->value;
    }
    return nullptr;
  }
  template <typename Visit>
  static void walk(const Node& node, Visit& visit) {
    for (const EntryPtr& entry : node.entries) visit(entry->key, entry->value);
    for (const NodePtr& child : node.children) walk(*child, visit);
  }

  NodePtr root_;
  std::size_t size_ = 0;
};

// One thread's changes on the way to a new version; the version it began with stays as it is.
template <typename T, typename Hash>
class PersistentMap<T, Hash>::Edit {
 public:
  explicit Edit(PersistentMap from) : map_(std::move(from)), token_(new_edit_token()) {}
  Edit(const Edit&) = delete;  // two edits must not own the same nodes
  Edit& operator=(const Edit&) = delete;

  const T* find(std::string_view key) const { return map_.find(key); }
  std::size_t size() const { return map_.size(); }

  void set(std::string key, T value) {
    const std::uint64_t hash = Hash{}(key);
    auto entry = std::make_shared<const Entry>(Entry{hash, std::move(key), std::move(value)});
    if (!map_.root_) map_.root_ = std::make_shared<Node>(token_);
    insert(map_.root_, std::move(entry), 0);
  }

  // False when there was no such key.
  bool erase(std::string_view key) {
    if (!map_.contains(key)) return false;  // so that a miss copies nothing
    remove(map_.root_, key, Hash{}(key), 0);
    --map_.size_;
    if (map_.size_ == 0) map_.root_ = nullptr;
    return true;
  }

  // The new version. The edit may go on: what was handed out is not changed any more.
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

  void insert(NodePtr& place, EntryPtr entry, int shift) {
    Node& node = own(place);
    if (shift >= kHashBits) return insert_among(node, std::move(entry));
    const std::uint32_t bit = bit_of(entry->hash, shift);
    if (node.child_bits & bit) {
      return insert(node.children[index_of(node.child_bits, bit)], std::move(entry), shift + kBits);
    }
    const auto at = static_cast<std::ptrdiff_t>(index_of(node.entry_bits, bit));
    if (!(node.entry_bits & bit)) {
      node.entries.insert(node.entries.begin() + at, std::move(entry));
      node.entry_bits |= bit;
      ++map_.size_;
      return;
    }
    EntryPtr& known = node.entries[static_cast<std::size_t>(at)];
    if (known->hash == entry->hash && known->key == entry->key) {
      known = std::move(entry);
      return;
    }
    // Two keys want one place: both move one level down.
    auto child = std::make_shared<Node>(token_);
    --map_.size_;  // `known` is counted again below
    insert(child, std::move(known), shift + kBits);
    insert(child, std::move(entry), shift + kBits);
    node.entries.erase(node.entries.begin() + at);
    node.entry_bits &= ~bit;
    node.children.insert(
        node.children.begin() + static_cast<std::ptrdiff_t>(index_of(node.child_bits, bit)), child);
    node.child_bits |= bit;
  }

  void insert_among(Node& node, EntryPtr entry) {
    for (EntryPtr& known : node.entries) {
      if (known->key != entry->key) continue;
      known = std::move(entry);
      return;
    }
    node.entries.push_back(std::move(entry));
    ++map_.size_;
  }

  // `key` is below `place`. A child left with one entry and no children gives that entry to its
  // parent, so that equal contents have equal shapes and no chain of empty nodes stays behind.
  void remove(NodePtr& place, std::string_view key, std::uint64_t hash, int shift) {
    Node& node = own(place);
    if (shift >= kHashBits) {
      std::erase_if(node.entries, [&](const EntryPtr& entry) { return entry->key == key; });
      return;
    }
    const std::uint32_t bit = bit_of(hash, shift);
    const auto entry_at = static_cast<std::ptrdiff_t>(index_of(node.entry_bits, bit));
    if (node.entry_bits & bit) {
      node.entries.erase(node.entries.begin() + entry_at);
      node.entry_bits &= ~bit;
      return;
    }
    const auto child_at = static_cast<std::ptrdiff_t>(index_of(node.child_bits, bit));
    NodePtr& child = node.children[static_cast<std::size_t>(child_at)];
    remove(child, key, hash, shift + kBits);
    if (!child->children.empty() || child->entries.size() > 1) return;
    EntryPtr last = child->entries.front();
    node.children.erase(node.children.begin() + child_at);
    node.child_bits &= ~bit;
    node.entries.insert(node.entries.begin() + entry_at, std::move(last));
    node.entry_bits |= bit;
  }

  PersistentMap map_;
  EditToken token_;
};

}  // namespace azora
