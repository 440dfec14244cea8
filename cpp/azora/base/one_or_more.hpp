#pragma once
// A list that most often has exactly one element: a single one lies in the list itself, and takes no memory of its own.
// Elements lie side by side and move when the list grows from one to two, or beyond its room.
// Threads: as the elements allow. Ownership: the elements. Fails: never; front() of an empty list is a bug.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>

namespace azora {

template <typename T>
class OneOrMore {
 public:
  using value_type = T;

  OneOrMore() {}
  OneOrMore(std::initializer_list<T> values) {
    reserve(values.size());
    for (const T& value : values) push_back(value);
  }
  OneOrMore(OneOrMore&& other) noexcept { take(other); }
  OneOrMore& operator=(OneOrMore&& other) noexcept {
    if (this == &other) return *this;
    clear();
    take(other);
    return *this;
  }
  OneOrMore(const OneOrMore&) = delete;
  OneOrMore& operator=(const OneOrMore&) = delete;
  ~OneOrMore() { clear(); }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return room_ == 1 ? &one_ : many_; }
  T* end() { return begin() + size_; }
  const T* begin() const { return room_ == 1 ? &one_ : many_; }
  const T* end() const { return begin() + size_; }
  const T* data() const { return begin(); }
  T& operator[](std::size_t at) { return begin()[at]; }
  const T& operator[](std::size_t at) const { return begin()[at]; }
  T& front() { return *begin(); }
  const T& front() const { return *begin(); }

  void reserve(std::size_t wanted) {
    if (wanted <= room_) return;
    T* const next = std::allocator<T>().allocate(wanted);
    std::uninitialized_move(begin(), end(), next);
    const std::uint32_t kept = size_;
    clear();
    many_ = next;
    room_ = static_cast<std::uint32_t>(wanted);
    size_ = kept;
  }
  void push_back(T value) {
    if (size_ == room_) reserve(2 * static_cast<std::size_t>(room_));
    std::construct_at(end(), std::move(value));
    ++size_;
  }
  void erase(T* at) {
    std::move(at + 1, end(), at);
    std::destroy_at(end() - 1);
    --size_;
  }
  void clear() {
    std::destroy(begin(), end());
    if (room_ > 1) std::allocator<T>().deallocate(many_, room_);
    room_ = 1;
    size_ = 0;
  }

 private:
  // This list is empty; `other` is empty afterwards.
  void take(OneOrMore& other) {
    if (other.room_ == 1) {
      std::uninitialized_move(other.begin(), other.end(), &one_);
      size_ = other.size_;
      other.clear();
    } else {
      many_ = other.many_;
      room_ = std::exchange(other.room_, 1);
      size_ = std::exchange(other.size_, 0);
    }
  }

  union {
    T one_;    // while there is room for one
    T* many_;  // else
  };
  std::uint32_t room_ = 1;
  std::uint32_t size_ = 0;
};

}  // namespace azora
