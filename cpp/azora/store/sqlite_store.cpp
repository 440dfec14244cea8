#include "azora/store/sqlite_store.hpp"

#include <utility>

#include "azora/store/checked_file.hpp"
#include "azora/store/history.hpp"
#include "azora/store/state_file.hpp"
#include "azora/store/state_folder.hpp"
#include "azora/store/store_writer.hpp"

namespace azora::store {
namespace {

// The state file appears under its name when it has its tables.
Result<void> make_state(const StateFolder& folder, const char* vfs) {
  const Result<bool> there = folder.has_state();
  if (!there) return there.error();
  if (there.value()) return {};
  const std::string path = folder.path() + "/state.new";
  if (Result<void> made = folder.make_file(path); !made) return made;
  if (Result<void> made = StateFile::make(path, vfs); !made) return made;
  return folder.put_in_place(path);
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& path, Loop& loop, Options options) {
  Result<StateFolder> folder = StateFolder::open(path, loop.now().wall);
  if (!folder) return std::move(folder).error();
  const char* vfs = options.file.vfs_name();
  if (Result<void> made = make_state(folder.value(), vfs); !made) return std::move(made).error();
  const std::string state = folder.value().state_path();
  const std::string real = folder.value().path();
  Result<StateFile> file = StateFile::open(state, vfs);
  if (!file) return std::move(file).error();
  const auto writer = std::make_shared<StoreWriter>(
      std::move(folder).value(), CheckedFile(state, options.file, std::move(file).value()), loop);
  if (Result<void> started = writer->start(std::move(options.died)); !started) return std::move(started).error();
  return std::unique_ptr<SqliteStore>(new SqliteStore(writer, real, options.farewell));
}

SqliteStore::~SqliteStore() { close(); }

void SqliteStore::close() {
  if (writer_) writer_->close(farewell_);
  writer_.reset();
}

void SqliteStore::set_listener(StoreListener* listener) {
  control_thread.assert_held();
  writer_->set_listener(listener);
}

Result<std::vector<Row>> SqliteStore::load() { return writer_->load(); }

void SqliteStore::keep_history(HistoryOptions options) {
  history_ = std::make_shared<History>(folder_, std::move(options));
  writer_->keep_history(history_);
}

void SqliteStore::add_events(const std::vector<std::shared_ptr<const Event>>& events, std::uint64_t head) {
  if (!history_) return;
  history_->note_head(head);
  if (events.empty() || !writer_) return;
  history_->add(events);
  writer_->wake();
}

Ticket SqliteStore::commit(Batch batch) {
  control_thread.assert_held();
  return writer_->add(std::move(batch));
}

}  // namespace azora::store
