#include "azora/store/state_tools.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "azora/model/iso_time.hpp"
#include "azora/store/history_file.hpp"
#include "azora/store/log_file.hpp"
#include "azora/store/page_rows.hpp"
#include "azora/store/records.hpp"
#include "azora/store/sqlite.hpp"
#include "azora/store/state_file.hpp"
#include "azora/store/state_folder.hpp"
#include "azora/store/state_rows.hpp"
#include "azora/store/state_schema.hpp"

namespace azora::store {
namespace {

using Findings = std::vector<Finding>;

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}
bool has_bytes(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && info.st_size > 0;
}

template <typename Record>
std::string fault_of(const Result<Record>& decoded) {
  return decoded ? std::string() : decoded.error().message;
}
// What is wrong with a record; empty: nothing.
std::string record_fault(const Row& row) {
  switch (row.key.table) {
    case Table::heads: return fault_of(decode_heads(row));
    case Table::entries: return fault_of(decode_entry(row));
    case Table::services: return fault_of(decode_service(row));
  }
  return "is of an unknown kind";
}

// Messages of this file begin with its path, which a finding has already.
std::string without_path(const std::string& path, std::string message) {
  const std::string beginning = "\"" + path + "\": ";
  if (message.starts_with(beginning)) message.erase(0, beginning.size());
  return message;
}

Result<void> find_in_structure(Connection& connection, Findings& findings) {
  Result<Statement> check = connection.prepare("PRAGMA integrity_check");
  if (!check) return std::move(check).error();
  for (;;) {
    const Result<bool> row = check.value().step();
    if (!row) return row.error();
    if (!row.value()) return {};
    const std::string_view words = check.value().bytes(0);
    if (words != "ok") findings.push_back({connection.path(), {}, std::string(words)});
  }
}

Result<void> find_in_rows(Connection& connection, Findings& findings) {
  const Result<Stamp> stamp = read_stamp(connection);
  if (!stamp) return stamp.error();
  Stamp found{.commits = stamp.value().commits};
  Result<void> read = for_each_row(connection, [&](Key key, std::string_view bytes) {
    ++found.entries;
    found.digest += digest_of(key, bytes);
    const Row row{std::move(key), std::string(bytes)};
    if (std::string fault = record_fault(row); !fault.empty()) {
      findings.push_back({connection.path(), row.key, std::move(fault)});
    }
  });
  if (read && found != stamp.value()) {
    findings.push_back({connection.path(), {},
                        "its " + std::to_string(found.entries) + " rows are not the " +
                            std::to_string(stamp.value().entries) + " that were committed last"});
  }
  return read;
}

// What the file shows to a reader, up to the first thing that makes it unreadable.
Result<void> find_in_tables(Connection& connection, Findings& findings) {
  if (Result<void> set = configure(connection); !set) return set;
  if (Result<void> ours = check_is_ours(connection); !ours) return ours;
  const Result<std::int64_t> version = connection.number("PRAGMA user_version");
  if (!version) return version.error();
  const auto newest = static_cast<std::int64_t>(migrations().size());
  if (version.value() > newest) return bring_up_to_date(connection);  // which says so
  if (Result<void> done = find_in_structure(connection, findings); !done) return done;
  if (version.value() < newest) return {};  // its tables are others; a start brings them up to date
  return find_in_rows(connection, findings);
}

// Fails when another program has the file open.
Result<void> find_in_file(const std::string& path, Findings& findings) {
  Result<Connection> connection = Connection::open(path, nullptr);
  if (!connection) return std::move(connection).error();
  Result<void> found = find_in_tables(connection.value(), findings);
  if (!found && connection.value().is_in_use()) return found;
  if (!found) findings.push_back({path, {}, without_path(path, found.error().message)});
  return {};
}

Result<Findings> findings_in(const StateFolder& folder) {
  Findings findings;
  const std::string path = folder.state_path();
  const std::string log = log_path(path);
  const auto note = [&findings](const std::string& file, const Error& error) {
    findings.push_back({file, {}, without_path(file, error.message)});
  };
  const bool has_log = exists(log);
  if (const Result<bool> there = folder.has_state(); !there) note(path, there.error());
  if (const Result<void> good = check_log(path, nullptr); !good) note(log, good.error());
  if (exists(path)) {
    if (Result<void> read = find_in_file(path, findings); !read) return std::move(read).error();
  }
  if (!has_log) ::unlink(log.c_str());  // SQLite made an empty one
  return findings;
}

// Of the history alone: damage there is none to the fleet.
void find_in_history(const StateFolder& folder, Findings& findings) {
  const std::string path = folder.history_path();
  const std::string log = log_path(path);
  const bool has_log = exists(log);
  for (std::string& one : check_history(path)) findings.push_back({path, {}, std::move(one)});
  if (!has_log) ::unlink(log.c_str());  // SQLite made an empty one
}

Result<StateFolder> open_folder(const std::filesystem::path& path, WallTime now) {
  Result<StateFolder> folder = StateFolder::open(path, now, StateFolder::Missing::refuse);
  if (!folder) return folder;
  const std::string state = folder.value().state_path();
  if (!exists(state) && !exists(log_path(state)) && !exists(folder.value().repaired_path())) {
    return file_error(state, "is not there");
  }
  return folder;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The digits and letters of the time, which a name may have.
std::string stamp_of(WallTime now) {
  std::string stamp = iso_time(now);
  std::erase_if(stamp, [](char one) { return one == '-' || one == ':' || one == '.'; });
  return stamp;
}

// Gives a file and its log a second name each.
Result<void> keep_old(const StateFolder& folder, const std::string& path, WallTime now, Repair& repair) {
  const std::string kept = path + ".damaged-" + stamp_of(now);
  for (const auto& [from, to] : {std::pair(path, kept), std::pair(log_path(path), log_path(kept))}) {
    if (!has_bytes(from)) continue;
    if (::link(from.c_str(), to.c_str()) < 0) return system_error(from, "cannot be kept as \"" + to + "\"", errno);
    repair.kept.push_back(to);
  }
  return folder.sync();
}

// The new file is whole. The old log goes first: it would be taken for the new file's.
Result<void> exchange(const StateFolder& folder, WallTime now, Repair& repair) {
  if (Result<void> kept = keep_old(folder, folder.state_path(), now, repair); !kept) return kept;
  const std::string log = log_path(folder.state_path());
  if (::unlink(log.c_str()) < 0 && errno != ENOENT) return system_error(log, "cannot be removed", errno);
  if (Result<void> gone = folder.sync(); !gone) return gone;
  return folder.put_in_place(folder.repaired_path());
}

// The next start begins a new history.
Result<void> put_history_away(const StateFolder& folder, WallTime now, Repair& repair) {
  const std::string path = folder.history_path();
  if (Result<void> kept = keep_old(folder, path, now, repair); !kept) return kept;
  for (const std::string& old : {path, log_path(path)}) {
    if (::unlink(old.c_str()) < 0 && errno != ENOENT) return system_error(old, "cannot be removed", errno);
  }
  repair.lost.push_back({path, {}, "the history begins anew; its events are in the file that is kept"});
  return folder.sync();
}

// The rows of a new file that an interrupted repair has left; nullopt: it is not whole.
std::optional<std::size_t> rows_of_whole(const std::string& path) {
  if (!exists(path)) return std::nullopt;
  Result<StateFile> file = StateFile::open(path, nullptr);
  if (!file || file.value().stamp().commits == 0) return std::nullopt;
  file.value().close_for_good();
  return static_cast<std::size_t>(file.value().stamp().entries);
}

Result<void> write_new(const StateFolder& folder, const std::map<Key, std::string>& rows) {
  const std::string path = folder.repaired_path();
  if (Result<void> made = folder.make_file(path); !made) return made;
  if (Result<void> made = StateFile::make(path, nullptr); !made) return made;
  Result<StateFile> file = StateFile::open(path, nullptr);
  if (!file) return std::move(file).error();
  Batch batch;
  for (const auto& [key, bytes] : rows) batch.rows.push_back({key, bytes});
  Stamp wanted;
  if (Result<void> written = file.value().write({std::move(batch)}, wanted); !written) return written;
  if (Result<void> copied = file.value().tidy(0); !copied) return copied;
  file.value().close_for_good();
  return {};
}

// How many rows the last readable stamp counts; 0: it cannot be read.
std::size_t expected_rows(const std::string& path) {
  Result<Connection> connection = Connection::open(path, nullptr);
  if (!connection || !configure(connection.value())) return 0;
  const Result<Stamp> stamp = read_stamp(connection.value());
  return stamp ? static_cast<std::size_t>(stamp.value().entries) : 0;
}

void note_lost(const Pages& pages, const std::string& path, const std::map<Key, std::string>& rows, Repair& repair) {
  for (const Key& key : pages.keys()) {
    if (!rows.contains(key)) repair.lost.push_back({path, key, "cannot be read"});
  }
  const std::size_t known = rows.size() + repair.lost.size();
  const std::size_t expected = expected_rows(path);
  if (expected > known) {
    repair.lost.push_back({path, {}, std::to_string(expected - known) + " more rows, whose names are lost, too"});
  }
}

std::uint64_t ahead_of(std::uint64_t number, std::uint64_t by) {
  return number > std::numeric_limits<std::uint64_t>::max() - by ? number : number + by;
}

// If the heads are lost, new ones whose numbers are beyond all that can have been given. A keeper takes any epoch that is
// greater than the one before; epochs count starts, so the time in seconds is greater than all of them. The boot id is
// today's: then runs that may exist are looked for, and nothing is started twice.
std::map<Key, std::string> with_heads(std::map<Key, std::string> rows, const std::string& history, WallTime now) {
  HeadsRecord heads;
  if (rows.contains(key_of(heads))) return rows;
  constexpr std::uint64_t kAhead = std::uint64_t{1} << 32;  // more than any block of numbers that is reserved
  for (const auto& [key, bytes] : rows) {
    if (key.table == Table::services) {
      const Result<ServiceRecord> service = decode_service({key, bytes});
      heads.last_serial = std::max(heads.last_serial, service.value().serial);
      heads.next_order = std::max(heads.next_order, service.value().order);
    } else {
      heads.next_order = std::max(heads.next_order, decode_entry({key, bytes}).value().order);
    }
  }
  heads.last_serial = ahead_of(heads.last_serial, std::uint64_t{1} << 20);
  heads.next_order = ahead_of(heads.next_order, 1);
  heads.event_seq = newest_number(history) + kAhead;
  heads.epoch = static_cast<std::uint64_t>(now.ms / 1000);
  std::ifstream("/proc/sys/kernel/random/boot_id") >> heads.boot_id;
  Row row = encode(heads);
  rows.emplace(std::move(row.key), std::move(row.bytes));
  return rows;
}

// A good file that only a newer program can read.
bool is_newer(const Pages& pages) {
  constexpr std::size_t kVersionAt = 60;  // in the file's head
  constexpr std::size_t kApplicationAt = 68;
  constexpr std::uint32_t kMagic = 0x53514c69;  // "SQLi"
  return pages.head(0) == kMagic && pages.head(kApplicationAt) == kApplicationId &&
         pages.head(kVersionAt) > migrations().size();
}

Result<void> rebuild(const StateFolder& folder, WallTime now, Repair& repair) {
  const std::string path = folder.state_path();
  const Result<std::vector<LogPage>> log = read_log(path, nullptr);
  if (!log) return log.error();
  const Pages pages(bytes_of(path), log.value());
  const std::map<Key, std::string> rows = pages.rows([](const Row& row) { return record_fault(row).empty(); });
  if (rows.empty() && pages.keys().empty()) return file_error(path, "has no row that can be saved; it is left as it is");
  if (is_newer(pages) && repair.findings.size() == 1) {
    return file_error(path, repair.findings.front().what);
  }
  note_lost(pages, path, rows, repair);
  repair.saved = rows.size();
  return write_new(folder, with_heads(rows, folder.history_path(), now));
}

Result<void> repair_file(const StateFolder& folder, WallTime now, Repair& repair) {
  if (const std::optional<std::size_t> saved = rows_of_whole(folder.repaired_path())) {
    repair.saved = *saved;
  } else if (Result<void> built = rebuild(folder, now, repair); !built) {
    return built;
  }
  return exchange(folder, now, repair);
}

}  // namespace

std::string words_of(const Finding& finding) {
  static constexpr const char* kTables[] = {"heads", "entry", "service"};
  std::string words = finding.file + ": ";
  if (finding.key) {
    words += kTables[static_cast<std::size_t>(finding.key->table)];
    if (!finding.key->name.empty()) words += " \"" + finding.key->name + "\"";
    words += ": ";
  }
  return words + finding.what;
}

Result<std::vector<Finding>> check_state(const std::filesystem::path& path, WallTime now) {
  const Result<StateFolder> folder = open_folder(path, now);
  if (!folder) return folder.error();
  Result<Findings> findings = findings_in(folder.value());
  if (findings) find_in_history(folder.value(), findings.value());
  return findings;
}

Result<Repair> repair_state(const std::filesystem::path& path, WallTime now) {
  const Result<StateFolder> folder = open_folder(path, now);
  if (!folder) return folder.error();
  Result<Findings> findings = findings_in(folder.value());
  if (!findings) return std::move(findings).error();
  Repair repair{.findings = std::move(findings).value()};
  Findings history;
  find_in_history(folder.value(), history);
  if (!repair.findings.empty()) {
    if (Result<void> done = repair_file(folder.value(), now, repair); !done) return std::move(done).error();
  }
  if (!history.empty()) {
    repair.findings.insert(repair.findings.end(), history.begin(), history.end());
    if (Result<void> done = put_history_away(folder.value(), now, repair); !done) return std::move(done).error();
  }
  return repair;
}

}  // namespace azora::store
