#pragma once
// A value that is stored once however many objects have it: for the parts of a large fleet that are the same in most of
// its services. It costs a pointer; the value is freed with the last object that has it. Equal values are one value, so
// comparing them compares pointers.
// The values are in a table per type, under a lock that is taken only when a value comes or its last owner goes.
// Threads: any; one Interned as any value. Ownership: shared, counted. Fails: never.
// Cost: setting a value takes a search in the table; reading and copying it do not.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "azora/base/hash.hpp"
#include "azora/base/mutex.hpp"

namespace azora {

// The hash that the table of a type uses; a type with a method hash() needs none of its own.
template <typename T>
struct InternHash {
  std::uint64_t operator()(const T& value) const { return value.hash(); }
};
template <>
struct InternHash<std::string> {
  std::uint64_t operator()(const std::string& value) const { return hash_bytes(value); }
};

template <typename T>
class Interned {
 public:
  Interned() : Interned(T{}) {}
  template <typename Value>
    requires(std::is_convertible_v<Value, T> && !std::is_same_v<std::decay_t<Value>, Interned>)
  Interned(Value&& value) : node_(table().take(T(std::forward<Value>(value)))) {}  // implicit: it stands for the value
  Interned(const Interned& other) noexcept : node_(other.node_) { node_->owners.fetch_add(1, std::memory_order_relaxed); }
  Interned(Interned&& other) noexcept : Interned(std::as_const(other)) {}  // none is ever without a value
  Interned& operator=(const Interned& other) noexcept {
    Interned copy(other);
    std::swap(node_, copy.node_);
    return *this;
  }
  Interned& operator=(Interned&& other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Interned() { table().give_back(node_); }

  const T& operator*() const { return node_->value; }
  const T* operator->() const { return &node_->value; }
  operator const T&() const { return node_->value; }

  friend bool operator==(const Interned& a, const Interned& b) { return a.node_ == b.node_; }
  template <typename Other>
    requires(std::is_same_v<Other, T> || (std::is_same_v<T, std::string> && std::is_convertible_v<const Other&, std::string_view>))
  friend bool operator==(const Interned& a, const Other& b) {
    return *a == b;
  }

 private:
  struct Node {
    T value;
    std::atomic<std::size_t> owners{1};
  };
  struct NodeHash {
    using is_transparent = void;
    std::size_t operator()(const Node* node) const { return InternHash<T>{}(node->value); }
    std::size_t operator()(const T& value) const { return InternHash<T>{}(value); }
  };
  struct NodeEqual {
    using is_transparent = void;
    bool operator()(const Node* a, const Node* b) const { return a->value == b->value; }
    bool operator()(const T& a, const Node* b) const { return a == b->value; }
    bool operator()(const Node* a, const T& b) const { return a->value == b; }
  };

  class Table {
   public:
    Node* take(T value) {
      MutexLock lock(mutex_);
      const auto known = nodes_.find(value);
      if (known != nodes_.end()) {
        (*known)->owners.fetch_add(1, std::memory_order_relaxed);
        return *known;
      }
      return *nodes_.insert(new Node{std::move(value)}).first;
    }
    // The last owner leaves under the lock, so that no one takes the node meanwhile.
    void give_back(Node* node) {
      std::size_t owners = node->owners.load(std::memory_order_relaxed);
      while (owners > 1) {
        if (node->owners.compare_exchange_weak(owners, owners - 1, std::memory_order_release, std::memory_order_relaxed)) {
          return;
        }
      }
      MutexLock lock(mutex_);
      if (node->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
      nodes_.erase(node);
      delete node;
    }

   private:
    Mutex mutex_;
    std::unordered_set<Node*, NodeHash, NodeEqual> nodes_ AZORA_GUARDED_BY(mutex_);
  };

  // Never destroyed: objects of static duration may have values.
  static Table& table() {
    static Table* const one = new Table;
    return *one;
  }

  Node* node_;
};

}  // namespace azora
