#pragma once
// What is in an open state file, for StateFile and for the tools: its rows, and the stamp of the last commit.
// Threads: the caller's. Ownership: borrows the connection. Fails: by Result.
#include <cstdint>
#include <functional>
#include <string_view>

#include "azora/base/result.hpp"
#include "azora/store/sqlite.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

// What a commit leaves behind: two files with the same stamp have the same rows.
struct Stamp {
  std::uint64_t commits = 0;
  std::uint64_t entries = 0;  // rows
  std::uint64_t digest = 0;   // the sum of digest_of() of each
  friend bool operator==(const Stamp&, const Stamp&) = default;
};
std::uint64_t digest_of(const Key& key, std::string_view bytes);

// The settings that every connection needs, made before anything is read: the lock is among them.
Result<void> configure(Connection& connection);

Result<Stamp> read_stamp(Connection& connection);
// Calls visit(key, bytes) for every row, in order of their keys; the bytes live until it returns.
Result<void> for_each_row(Connection& connection, const std::function<void(Key key, std::string_view bytes)>& visit);

}  // namespace azora::store
