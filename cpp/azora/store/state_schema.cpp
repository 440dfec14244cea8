#include "azora/store/state_schema.hpp"

#include <array>
#include <string>

#include "azora/store/store.hpp"

namespace azora::store {
namespace {

// Tables are stored as these numbers.
static_assert(static_cast<int>(Table::heads) == 0 && static_cast<int>(Table::entries) == 1 &&
              static_cast<int>(Table::services) == 2);

Result<void> make_version_1(Connection& connection) {
  return connection.run(
      "CREATE TABLE rows(kind INTEGER NOT NULL, name BLOB NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(kind, name)) STRICT;"
      "CREATE TABLE stamp(one INTEGER PRIMARY KEY CHECK(one = 1), commits INTEGER NOT NULL, entries INTEGER NOT NULL,"
      " digest INTEGER NOT NULL) STRICT;"
      "INSERT INTO stamp VALUES(1, 0, 0, 0);"
      "PRAGMA application_id = 1098534770;");
}

static_assert(kApplicationId == 1098534770);

constexpr std::array kMigrations{Migration{make_version_1}};

Result<void> migrate(Connection& connection, std::span<const Migration> steps, std::size_t version) {
  if (Result<void> begun = connection.run("BEGIN IMMEDIATE"); !begun) return begun;
  for (std::size_t at = version; at < steps.size(); ++at) {
    if (Result<void> made = steps[at](connection); !made) return made;
  }
  const std::string last = "PRAGMA user_version = " + std::to_string(steps.size()) + "; COMMIT";
  return connection.run(last.c_str());
}

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

Result<void> check_is_ours(Connection& connection) {
  const Result<std::int64_t> id = connection.number("PRAGMA application_id");
  if (!id) return id.error();
  if (id.value() == kApplicationId) return {};
  const Result<std::int64_t> tables = connection.number("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  if (tables.value() == 0) return damage_error(connection.path(), "it has no tables");
  return file_error(connection.path(), "is a database of another program; it is left as it is");
}

Result<void> bring_up_to_date(Connection& connection, std::span<const Migration> steps) {
  const Result<std::int64_t> version = connection.number("PRAGMA user_version");
  if (!version) return version.error();
  const auto last = static_cast<std::int64_t>(steps.size());
  if (version.value() == last) return {};
  if (version.value() < 0 || version.value() > last) {
    return file_error(connection.path(), "has version " + std::to_string(version.value()) +
                                             "; this program reads versions up to " + std::to_string(last) +
                                             ". It is left as it is: start the newer program that wrote it");
  }
  return migrate(connection, steps, static_cast<std::size_t>(version.value()));
}

}  // namespace azora::store
