#pragma once
// A map from serial numbers, which are given one after the other and never reused, to values. Pages hold 32 values
// each, so values that were made together lie together, without a node and a hash of their own: a value costs its
// size and about a byte, and most searches end in the page of the last one. A page is freed with its last value.
// Threads: one; find() writes, too. Ownership: owns the values, which keep their place until erased. Fails: never.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
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
    return page != nullptr && page->has(serial) ? &page->value(serial) : nullptr;
  }
  bool contains(Serial serial) const { return find(serial) != nullptr; }

  // Makes a new value when there is none.
  T& operator[](Serial serial) {
    Page* page = page_of(serial);
    if (page == nullptr) {
      last_number_ = serial / kPage;
      page = last_ = pages_.emplace(last_number_, std::make_unique<Page>()).first->second.get();
    }
    if (!page->has(serial)) {
      std::construct_at(&page->value(serial));
      page->used |= Page::bit(serial);
      ++size_;
    }
    return page->value(serial);
  }

  // False when there was none.
  bool erase(Serial serial) {
    Page* page = page_of(serial);
    if (page == nullptr || !page->has(serial)) return false;
    std::destroy_at(&page->value(serial));
    page->used &= ~Page::bit(serial);
    --size_;
    if (page->used == 0) {
      if (last_ == page) last_ = nullptr;
      pages_.erase(serial / kPage);
    }
    return true;
  }

  // Calls visit(serial, value) for every value, in no order; the map must not change meanwhile.
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

  struct Page {
    Page() {}
    ~Page() {
      each(0, *this, [](Serial, T& value) { std::destroy_at(&value); });
    }
    Page(const Page&) = delete;
    Page& operator=(const Page&) = delete;

    static std::uint32_t bit(Serial serial) { return std::uint32_t{1} << (serial % kPage); }
    bool has(Serial serial) const { return (used & bit(serial)) != 0; }
    T& value(Serial serial) { return values[serial % kPage]; }

    union {
      std::array<T, kPage> values;  // each is made and destroyed by itself
    };
    std::uint32_t used = 0;  // bit per value that is there
  };

  template <typename Visit>
  static void each(Serial number, Page& page, Visit&& visit) {
    for (Serial i = 0; i < kPage; ++i) {
      if (page.has(i)) visit(number * kPage + i, page.values[i]);
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
