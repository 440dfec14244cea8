#pragma once
// A map from serial numbers, which are given one after the other and never reused, to values. They lie in pages of 32,
// so that what was made together is found together, without a node and a hash of its own for each: a value costs its
// size and little more, and most searches look at the page of the last one. A page goes with its last value.
// Threads: one; also find() const writes. Ownership: owns the values, which keep their place until erased. Fails: never.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <unordered_map>
#include <utility>

namespace azora {

template <typename T>
class SerialMap {
 public:
  using Serial = std::uint64_t;

  SerialMap() = default;
  SerialMap(const SerialMap&) = delete;
  SerialMap& operator=(const SerialMap&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Null when there is none.
  T* find(Serial serial) { return const_cast<T*>(std::as_const(*this).find(serial)); }
  const T* find(Serial serial) const {
    Page* page = page_of(serial);
    return page != nullptr && page->has(serial) ? page->place(serial) : nullptr;
  }
  bool contains(Serial serial) const { return find(serial) != nullptr; }

  // Made anew when there is none.
  T& operator[](Serial serial) {
    Page* page = page_of(serial);
    if (page == nullptr) {
      auto made = std::make_unique_for_overwrite<Page>();  // room is not touched before it is used
      page = last_ = made.get();
      last_number_ = serial / kPage;
      pages_.emplace(last_number_, std::move(made));
    }
    if (!page->has(serial)) {
      new (page->place(serial)) T();
      page->used |= bit(serial);
      ++size_;
    }
    return *page->place(serial);
  }

  // False when there was none.
  bool erase(Serial serial) {
    Page* page = page_of(serial);
    if (page == nullptr || !page->has(serial)) return false;
    page->used &= ~bit(serial);
    --size_;
    std::destroy_at(page->place(serial));
    if (page->used == 0) {
      if (last_ == page) last_ = nullptr;
      pages_.erase(serial / kPage);
    }
    return true;
  }

  // Calls visit(serial, value) for every one, in no order; the map must stay as it is meanwhile.
  template <typename Visit>
  void for_each(Visit visit) {
    for (const auto& [number, page] : pages_) each(number, *page, visit);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [number, page] : pages_) {
      each(number, *page, [&](Serial serial, const T& value) { visit(serial, value); });
    }
  }

 private:
  static constexpr Serial kPage = 32;

  static std::uint32_t bit(Serial serial) { return std::uint32_t{1} << (serial % kPage); }

  struct Page {
    Page() = default;
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;
    ~Page() {
      for (; used != 0; used &= used - 1) std::destroy_at(place(static_cast<Serial>(std::countr_zero(used))));
    }
    bool has(Serial serial) const { return (used & bit(serial)) != 0; }
    T* place(Serial serial) { return std::launder(reinterpret_cast<T*>(room + serial % kPage * sizeof(T))); }

    std::uint32_t used = 0;  // a bit per place
    alignas(T) std::byte room[kPage * sizeof(T)];
  };

  template <typename Visit>
  static void each(Serial number, Page& page, Visit&& visit) {
    for (std::uint32_t left = page.used; left != 0; left &= left - 1) {
      const Serial serial = number * kPage + static_cast<Serial>(std::countr_zero(left));
      visit(serial, *page.place(serial));
    }
  }

  Page* page_of(Serial serial) const {
    const Serial number = serial / kPage;
    if (last_ != nullptr && last_number_ == number) return last_;
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    last_number_ = number;
    last_ = found->second.get();
    return last_;
  }

  std::unordered_map<Serial, std::unique_ptr<Page>> pages_;  // by serial / kPage
  mutable Serial last_number_ = 0;
  mutable Page* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace azora
