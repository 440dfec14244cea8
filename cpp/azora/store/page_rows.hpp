#pragma once
// Rows straight from the pages of a state file, without the trees that lead to them: for a file that SQLite cannot read
// any more. Rows of the table `rows` are found on its leaf pages, names on the pages of its index. Since what is deleted
// is overwritten (secure_delete), what is found was stored, though perhaps longer ago than the last commit if newer
// pages are damaged. Formats: sqlite.org/fileformat2.html, sections 1 and 2.
// Threads: the caller's. Ownership: its copy of the pages. Fails: never; what cannot be read is not found.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azora/store/log_file.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

class Pages {
 public:
  // The pages of the file, and those of its log on top of them.
  Pages(std::string file, const std::vector<LogPage>& log);

  // Of several rows under one key, those that are `good`, the newest of them first. One row per key.
  template <typename Good>
  std::map<Key, std::string> rows(const Good& good) const {
    std::map<Key, std::string> found;
    for (const std::uint32_t page : by_age()) {
      for (Row& row : rows_of(page)) {
        if (!found.contains(row.key) && good(row)) found.emplace(std::move(row.key), std::move(row.bytes));
      }
    }
    return found;
  }
  // All keys that are mentioned, by a row or by the index.
  std::set<Key> keys() const;
  // A number of the file's head, at this offset.
  std::uint32_t head(std::size_t at) const;

 private:
  struct Page {
    std::string bytes;
    std::size_t age = 0;  // 0: of the file; else its place in the log
  };

  std::vector<std::uint32_t> by_age() const;  // numbers of pages, the newest first
  std::vector<Row> rows_of(std::uint32_t page) const;
  std::vector<Key> index_keys_of(std::uint32_t page) const;
  // The payloads of the cells of a page of that type.
  std::vector<std::string> payloads(std::uint32_t page, unsigned char type) const;
  std::string payload_at(std::string_view page, std::size_t at, unsigned char type) const;

  std::map<std::uint32_t, Page> pages_;
};

}  // namespace azora::store
