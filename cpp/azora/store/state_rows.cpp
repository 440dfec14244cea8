#include "azora/store/state_rows.hpp"

#include <string>

#include "azora/base/hash.hpp"

namespace azora::store {

std::uint64_t digest_of(const Key& key, std::string_view bytes) {
  return hash_bytes(bytes, hash_bytes(key.name, static_cast<std::uint64_t>(key.table)));
}

Result<void> configure(Connection& connection) {
  if (Result<void> set = connection.run("PRAGMA locking_mode=EXCLUSIVE; PRAGMA synchronous=FULL; PRAGMA mmap_size=0;"
                                        "PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;"
                                        "PRAGMA journal_size_limit=4194304; PRAGMA page_size=4096; PRAGMA secure_delete=ON;");
      !set) {
    return set;
  }
  return {};
}

Result<void> for_each_row(Connection& connection, const std::function<void(Key key, std::string_view bytes)>& visit) {
  Result<Statement> rows = connection.prepare("SELECT kind, name, bytes FROM rows ORDER BY kind, name");
  if (!rows) return std::move(rows).error();
  Statement& row = rows.value();
  for (;;) {
    const Result<bool> more = row.step();
    if (!more) return more.error();
    if (!more.value()) return {};
    const std::int64_t kind = row.number(0);
    if (kind < 0 || kind > static_cast<std::int64_t>(Table::services)) {
      return damage_error(connection.path(), "a row is of the unknown kind " + std::to_string(kind));
    }
    visit(Key{static_cast<Table>(kind), std::string(row.bytes(1))}, row.bytes(2));
  }
}

Result<Stamp> read_stamp(Connection& connection) {
  Result<Statement> prepared = connection.prepare("SELECT commits, entries, digest FROM stamp");
  if (!prepared) return std::move(prepared).error();
  Statement& stamp = prepared.value();
  const Result<bool> row = stamp.step();
  if (!row) return row.error();
  if (!row.value()) return damage_error(connection.path(), "its stamp is missing");
  return Stamp{static_cast<std::uint64_t>(stamp.number(0)), static_cast<std::uint64_t>(stamp.number(1)),
               static_cast<std::uint64_t>(stamp.number(2))};
}

}  // namespace azora::store
