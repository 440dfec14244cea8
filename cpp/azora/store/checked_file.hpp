#pragma once
// The state file under the rule that nothing is believed after a failure: then the file is closed, and before the next
// commit it is opened anew, with all that StateFile checks, and must hold either what was acknowledged last or that and
// the commit that failed. Until then nothing is acknowledged. After an fsync that failed no repetition would help: the
// kernel may have dropped what was not written.
// Threads: one at a time. Ownership: the file. Fails: by Result, with storage_full or storage_failed.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/store/state_file.hpp"

namespace azora::store {

class CheckedFile {
 public:
  CheckedFile(std::string path, FileOptions options, StateFile file)
      : path_(std::move(path)), options_(std::move(options)), file_(std::move(file)), stored_(file_->stamp()), wanted_(stored_) {}

  Result<std::vector<Row>> load();
  // All batches in one durable transaction. After an error perhaps none, perhaps all of them are there.
  Result<void> write(const std::vector<Batch>& batches);
  // Work that no one waits for; a failure shows at the next write, if it is still there.
  void tidy();
  void close_for_good();
  // What was begun may be half done, such as after an exception.
  void distrust() { file_.reset(); }

 private:
  Result<void> reopen();

  std::string path_;
  FileOptions options_;
  std::optional<StateFile> file_;
  Stamp stored_;  // acknowledged last
  Stamp wanted_;  // by the last commit, which may have failed
};

}  // namespace azora::store
