#include "azora/store/log_file.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "azora/store/log_format.hpp"
#include "azora/store/sqlite.hpp"

namespace azora::store {
namespace {

constexpr std::size_t kChunk = 65'536;

// An open file of SQLite's layer.
class LogFile {
 public:
  // nullopt: there is no such file.
  static Result<std::optional<LogFile>> open(const std::string& path, const char* vfs) {
    sqlite3_vfs* system = sqlite3_vfs_find(vfs);
    if (system == nullptr) return file_error(path, "there is no layer for files of that name");
    int exists = 0;
    const int asked = system->xAccess(system, path.c_str(), SQLITE_ACCESS_EXISTS, &exists);
    if (asked != SQLITE_OK) return sqlite_error(path, asked, 0);
    if (exists == 0) return std::optional<LogFile>();
    LogFile file(path, system);
    int flags = 0;
    const int code = system->xOpen(system, file.path_->c_str(), file.file(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, &flags);
    if (code != SQLITE_OK) return file.error(code);
    return std::optional<LogFile>(std::move(file));
  }
  LogFile(LogFile&&) = default;
  LogFile& operator=(LogFile&&) = delete;
  ~LogFile() {
    if (memory_ && file()->pMethods != nullptr) file()->pMethods->xClose(file());
  }

  Result<std::uint64_t> size() {
    sqlite3_int64 size = 0;
    const int code = file()->pMethods->xFileSize(file(), &size);
    if (code != SQLITE_OK) return error(code);
    return static_cast<std::uint64_t>(size);
  }
  Result<void> read(std::uint64_t at, unsigned char* bytes, std::size_t size) {
    return done(file()->pMethods->xRead(file(), bytes, static_cast<int>(size), static_cast<sqlite3_int64>(at)));
  }
  Result<void> write(std::uint64_t at, const unsigned char* bytes, std::size_t size) {
    return done(file()->pMethods->xWrite(file(), bytes, static_cast<int>(size), static_cast<sqlite3_int64>(at)));
  }
  Result<void> sync() { return done(file()->pMethods->xSync(file(), SQLITE_SYNC_FULL)); }

 private:
  LogFile(const std::string& path, sqlite3_vfs* system)
      : path_(std::make_unique<std::string>(path)),
        system_(system),
        memory_(std::make_unique<std::byte[]>(static_cast<std::size_t>(system->szOsFile))) {}

  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.get()); }
  Error error(int code) {
    const int system = system_->xGetLastError == nullptr ? 0 : system_->xGetLastError(system_, 0, nullptr);
    return sqlite_error(*path_, code, system);
  }
  Result<void> done(int code) {
    if (code != SQLITE_OK) return error(code);
    return {};
  }

  std::unique_ptr<std::string> path_;  // the open file refers to it
  sqlite3_vfs* system_;
  std::unique_ptr<std::byte[]> memory_;
};

// Reads frames in their order, and notices a commit behind a frame that is damaged.
class FrameJudge {
 public:
  explicit FrameJudge(const LogFormat& format) : format_(format), before_(format.first()) {}

  void read(const unsigned char* frame) {
    const bool ours = format_.is_of_this_log(frame);
    const bool follows = ours && format_.stored(frame) == format_.computed(before_, frame);
    before_ = format_.stored(frame);
    if (part_ == Part::good && follows) return;
    if (part_ == Part::behind) damaged_ = follows;
    if (part_ == Part::behind || part_ == Part::end) {
      part_ = Part::end;
    } else {
      part_ = ours && format_.is_commit(frame) ? Part::behind : Part::bad;
    }
  }
  // A commit was begun only after the one before it was durable. So if one follows the commit with the bad frame,
  // that frame was good once.
  bool damaged() const { return damaged_; }

 private:
  enum class Part {
    good,
    bad,     // from the bad frame to the end of the commit that it belongs to
    behind,  // the first frame after it
    end,     // what comes now means nothing
  };

  const LogFormat& format_;
  Checksum before_;
  Part part_ = Part::good;
  bool damaged_ = false;
};

bool all_zero(const std::vector<unsigned char>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte == 0; });
}

// A log whose head is bad has no frames yet, since the head is made durable before them.
Result<bool> has_no_frames(LogFile& file, std::uint64_t size) {
  std::vector<unsigned char> chunk(kChunk);
  for (std::uint64_t at = LogFormat::kHead; at < size; at += chunk.size()) {
    chunk.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size - at)));
    if (Result<void> read = file.read(at, chunk.data(), chunk.size()); !read) return std::move(read).error();
    if (!all_zero(chunk)) return false;
  }
  return true;
}

Error damage(const std::string& path) {
  return damage_error(path, "there are commits behind a part that cannot be read");
}

}  // namespace

std::string log_path(const std::string& path) { return path + "-wal"; }

Result<void> check_log(const std::string& path, const char* vfs) {
  Result<std::optional<LogFile>> opened = LogFile::open(log_path(path), vfs);
  if (!opened) return std::move(opened).error();
  if (!opened.value()) return {};
  LogFile& file = *opened.value();
  const Result<std::uint64_t> size = file.size();
  if (!size) return size.error();
  if (size.value() < LogFormat::kHead) return {};
  std::array<unsigned char, LogFormat::kHead> head{};
  if (Result<void> read = file.read(0, head.data(), head.size()); !read) return read;
  const std::optional<LogFormat> format = LogFormat::of(head.data());
  if (!format) {
    const Result<bool> empty = has_no_frames(file, size.value());
    if (!empty) return empty.error();
    if (empty.value()) return {};
    return damage(log_path(path));
  }
  std::vector<unsigned char> frame(format->frame_size());
  FrameJudge judge(*format);
  for (std::uint64_t at = LogFormat::kHead; at + frame.size() <= size.value(); at += frame.size()) {
    if (Result<void> read = file.read(at, frame.data(), frame.size()); !read) return read;
    judge.read(frame.data());
  }
  if (judge.damaged()) return damage(log_path(path));
  return {};
}

Result<std::vector<LogPage>> read_log(const std::string& path, const char* vfs) {
  std::vector<LogPage> pages;
  Result<std::optional<LogFile>> opened = LogFile::open(log_path(path), vfs);
  if (!opened) return std::move(opened).error();
  if (!opened.value()) return pages;
  LogFile& file = *opened.value();
  const Result<std::uint64_t> size = file.size();
  if (!size) return size.error();
  std::array<unsigned char, LogFormat::kHead> head{};
  if (size.value() < head.size()) return pages;
  if (Result<void> read = file.read(0, head.data(), head.size()); !read) return std::move(read).error();
  std::optional<LogFormat> format = LogFormat::of(head.data());
  std::vector<unsigned char> frame(LogFormat::kFrameHead + kPageSize);
  std::size_t committed = 0;
  Checksum before = format ? format->first() : Checksum{};
  for (std::uint64_t at = LogFormat::kHead; at + frame.size() <= size.value(); at += frame.size()) {
    if (Result<void> read = file.read(at, frame.data(), frame.size()); !read) return std::move(read).error();
    if (!format) format = LogFormat::like(frame.data(), kPageSize);
    if (format->frame_size() != frame.size()) return pages;
    const bool good = format->is_of_this_log(frame.data()) && format->stored(frame.data()) == format->computed(before, frame.data());
    before = format->stored(frame.data());
    if (!good) continue;
    const auto* page = reinterpret_cast<const char*>(frame.data()) + LogFormat::kFrameHead;
    pages.push_back({big_endian(frame.data()), std::string(page, kPageSize)});
    if (format->is_commit(frame.data())) committed = pages.size();
  }
  pages.resize(committed);
  return pages;
}

Result<void> renew_log(const std::string& path, const char* vfs) {
  Result<std::optional<LogFile>> opened = LogFile::open(log_path(path), vfs);
  if (!opened) return std::move(opened).error();
  if (!opened.value()) return {};
  LogFile& file = *opened.value();
  const Result<std::uint64_t> size = file.size();
  if (!size) return size.error();
  std::vector<unsigned char> chunk(kChunk);
  for (std::uint64_t at = 0; at < size.value(); at += chunk.size()) {
    chunk.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, size.value() - at)));
    if (Result<void> read = file.read(at, chunk.data(), chunk.size()); !read) return read;
    if (Result<void> written = file.write(at, chunk.data(), chunk.size()); !written) return written;
  }
  return file.sync();
}

}  // namespace azora::store
