#include "azora/store/checked_file.hpp"

namespace azora::store {

Result<std::vector<Row>> CheckedFile::load() {
  if (Result<void> open = reopen(); !open) return std::move(open).error();
  Result<std::vector<Row>> rows = file_->load();
  if (!rows) distrust();
  return rows;
}

Result<void> CheckedFile::write(const std::vector<Batch>& batches) {
  if (Result<void> open = reopen(); !open) return open;
  Result<void> written = file_->write(batches, wanted_);
  if (written) {
    stored_ = wanted_;
  } else {
    distrust();
  }
  return written;
}

void CheckedFile::tidy() {
  if (file_ && !file_->tidy(options_.long_log)) distrust();
}

void CheckedFile::close_for_good() {
  if (!file_) return;
  file_->close_for_good();
  file_.reset();
}

Result<void> CheckedFile::reopen() {
  if (file_) return {};
  Result<StateFile> opened = StateFile::open(path_, options_.vfs_name());
  if (!opened) return std::move(opened).error();
  const Stamp& found = opened.value().stamp();
  if (found != stored_ && found != wanted_) {
    return file_error(path_, "has " + std::to_string(found.commits) + " commits, but " + std::to_string(stored_.commits) +
                                 " were acknowledged: it was replaced, or the disk has lost writes");
  }
  stored_ = wanted_ = found;
  file_.emplace(std::move(opened).value());
  return {};
}

}  // namespace azora::store
