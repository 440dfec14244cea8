#pragma once
// The tables of the state file, by version. A file says in its head that it is ours (application_id) and which version
// its tables have (user_version). An older file is brought up to date in one transaction; a newer one is refused.
//
// Version 1: rows(kind, name, bytes), one row under each store::Key, kind being the number of its Table;
// stamp(commits, entries, digest), one row: how many commits there were, how many rows there are, and the sum, modulo
// 2^64, of a hash of each. Written with every commit, it tells whether the rows are those that were committed last.
// Threads: the caller's. Ownership: borrows the connection. Fails: by Result; the file is then as it was.
#include <cstdint>
#include <span>

#include "azora/base/result.hpp"
#include "azora/store/sqlite.hpp"

namespace azora::store {

inline constexpr std::int64_t kApplicationId = 0x417a4f72;  // "AzOr"

// From the version that is its place in the list, to the next one.
using Migration = Result<void> (*)(Connection&);

std::span<const Migration> migrations();  // the first makes the tables in an empty file

// Fails for a file without tables, and for that of another program.
Result<void> check_is_ours(Connection& connection);
// Fails for a version that is newer than the last of `steps`. An empty file has version 0.
Result<void> bring_up_to_date(Connection& connection, std::span<const Migration> steps = migrations());

}  // namespace azora::store
