#include "azora/store/state_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>
#include <utility>

#include "azora/model/iso_time.hpp"
#include "azora/store/log_file.hpp"
#include "azora/store/sqlite.hpp"

namespace azora::store {
namespace {

constexpr const char* kLockFile = "state.lock";

Result<void> sync_folder(const std::string& path) {
  const Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) < 0) return system_error(path, "cannot be made durable", errno);
  return {};
}

// Makes it and the ones above it that are missing, each durable in its parent.
Result<void> make_folder(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  std::error_code error;
  if (!parent.empty() && !std::filesystem::exists(parent, error)) {
    if (Result<void> made = make_folder(parent); !made) return made;
  }
  if (::mkdir(path.c_str(), 0700) < 0) {
    if (errno == EEXIST) return {};
    return system_error(path.string(), "the directory cannot be created", errno);
  }
  if (::chmod(path.c_str(), 0700) < 0) return system_error(path.string(), "its mode cannot be set", errno);
  return sync_folder(parent.empty() ? "." : parent.string());
}

}  // namespace

Result<StateFolder> StateFolder::open(const std::filesystem::path& path, WallTime now, Missing missing) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error).lexically_normal();
  // "DIR/" has an empty name at its end.
  const std::filesystem::path named = whole.has_filename() ? whole : whole.parent_path();
  if (missing == Missing::make) {
    if (Result<void> made = make_folder(named); !made) return std::move(made).error();
  }
  const std::filesystem::path real = std::filesystem::canonical(named, error);
  if (error) return system_error(named.string(), "the directory cannot be opened", error.value());
  Fd fd(::open(real.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_error(real.string(), "the directory cannot be opened", errno);
  StateFolder folder(real.string(), std::move(fd));
  if (Result<void> owner = folder.check_owner(); !owner) return std::move(owner).error();
  if (Result<void> locked = folder.lock(now); !locked) return std::move(locked).error();
  return folder;
}

Result<void> StateFolder::check_owner() const {
  struct stat info {};
  if (::fstat(folder_.get(), &info) < 0) return system_error(path_, "the directory cannot be read", errno);
  if (info.st_uid != ::geteuid() || (info.st_mode & 022) != 0) {
    return file_error(path_, "the directory must belong to this user, and no other user may write to it (chmod 700)");
  }
  return {};
}

Result<void> StateFolder::lock(WallTime now) {
  const std::string path = path_ + "/" + kLockFile;
  lock_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) return system_error(path, "cannot be opened", errno);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(lock_.get(), F_OFD_SETLK, &whole) < 0) {
    if (errno == EAGAIN || errno == EACCES) return in_use();
    return system_error(path, "cannot be locked", errno);
  }
  const std::string owner = std::to_string(::getpid()) + " " + iso_time(now) + "\n";
  if (::fchmod(lock_.get(), 0600) < 0 || ::ftruncate(lock_.get(), 0) < 0) {
    return system_error(path, "cannot be written", errno);
  }
  // The text is for people alone: a full disk is no reason not to start.
  if (::pwrite(lock_.get(), owner.data(), owner.size(), 0) < 0 && errno != ENOSPC && errno != EDQUOT) {
    return system_error(path, "cannot be written", errno);
  }
  return {};
}

Error StateFolder::in_use() const {
  std::array<char, 128> bytes{};
  const ssize_t size = ::pread(lock_.get(), bytes.data(), bytes.size(), 0);
  std::string_view owner(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  owner = owner.substr(0, owner.find('\n'));
  const std::size_t gap = owner.find(' ');
  std::string who = "another process";
  if (gap != std::string_view::npos) {
    who = "process " + std::string(owner.substr(0, gap)) + ", since " + std::string(owner.substr(gap + 1));
  }
  return file_error(path_, "the directory is in use by " + who + "; stop that one or use another directory");
}

Result<bool> StateFolder::has_state() const {
  struct stat info {};
  if (::lstat(repaired_path().c_str(), &info) == 0) {
    return file_error(state_path(), "its repair was interrupted; run \"azora state repair\" again");
  }
  if (::lstat(state_path().c_str(), &info) == 0) return true;
  if (errno != ENOENT) return system_error(state_path(), "cannot be read", errno);
  const std::string log = log_path(state_path());
  if (::lstat(log.c_str(), &info) == 0 && info.st_size > 0) {
    return file_error(state_path(), "is missing, but its log is there; put it back, or move \"" + log + "\" away");
  }
  return false;
}

Result<void> StateFolder::make_file(const std::string& path) const {
  for (const std::string& old : {path, log_path(path)}) {
    if (::unlink(old.c_str()) < 0 && errno != ENOENT) return system_error(old, "cannot be removed", errno);
  }
  const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_error(path, "cannot be created", errno);
  if (::fchmod(file.get(), 0600) < 0) return system_error(path, "its mode cannot be set", errno);
  return {};
}

Result<void> StateFolder::put_in_place(const std::string& path) const {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file || ::fsync(file.get()) < 0) return system_error(path, "cannot be made durable", errno);
  if (::rename(path.c_str(), state_path().c_str()) < 0) return system_error(path, "cannot be renamed", errno);
  return sync();
}

Result<void> StateFolder::sync() const {
  if (::fsync(folder_.get()) < 0) return system_error(path_, "the directory cannot be made durable", errno);
  return {};
}

}  // namespace azora::store
