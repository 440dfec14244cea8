#pragma once
// Names in a folder. Threads: the program has one.
#include <cstddef>
#include <cstdint>

#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

// Calls visit(name) for each entry. False: the folder cannot be read.
template <typename Visit>
bool for_each_name(const char* folder, Visit visit) {
  struct Entry {  // as getdents64 writes it
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t length;
    std::uint8_t type;
    char name[1];
  };
  const int fd = sys::open(folder, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return false;
  alignas(Entry) char buffer[1024];
  long size = 0;
  while ((size = sys::dir_entries(fd, buffer, sizeof buffer)) > 0) {
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const Entry*>(buffer + at);
      at += entry->length;
      visit(&entry->name[0]);
    }
  }
  sys::close(fd);
  return size == 0;
}

}  // namespace azora::keeper
