#include "store/fault_vfs.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <new>

#include "store/store_rig.hpp"

namespace azora::store {
namespace {

constexpr std::int64_t kSector = 512;

using Kind = FaultVfs::Kind;

struct File {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string* path;
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
FaultVfs& of(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }

int close(sqlite3_file* file) {
  File& self = of(file);
  delete self.path;
  return self.below()->pMethods->xClose(self.below());
}
int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 at) {
  File& self = of(file);
  if (const int code = self.vfs->call(Kind::read); code != SQLITE_OK) return code;
  return self.below()->pMethods->xRead(self.below(), bytes, size, at);
}
int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at) {
  File& self = of(file);
  const int code = self.vfs->call(Kind::write);
  const sqlite3_int64 torn = (at + size / 2) / kSector * kSector - at;  // up to the beginning of a sector
  const int part = code == SQLITE_OK ? size : static_cast<int>(std::max<sqlite3_int64>(torn, 0));
  const int done = part == 0 ? SQLITE_OK : self.below()->pMethods->xWrite(self.below(), bytes, part, at);
  self.vfs->note_write(*self.path, at, part);
  return code == SQLITE_OK ? done : code;
}
int truncate(sqlite3_file* file, sqlite3_int64 size) {
  File& self = of(file);
  if (const int code = self.vfs->call(Kind::truncate); code != SQLITE_OK) return code;
  return self.below()->pMethods->xTruncate(self.below(), size);
}
int sync(sqlite3_file* file, int flags) {
  File& self = of(file);
  int code = self.vfs->call(Kind::sync);
  if (code == SQLITE_OK) code = self.below()->pMethods->xSync(self.below(), flags);
  self.vfs->note_sync(*self.path, code != SQLITE_OK);
  return code;
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  File& self = of(file);
  if (const int code = self.vfs->call(Kind::size); code != SQLITE_OK) return code;
  return self.below()->pMethods->xFileSize(self.below(), size);
}
int lock(sqlite3_file* file, int level) {
  File& self = of(file);
  if (const int code = self.vfs->call(Kind::lock); code != SQLITE_OK) return code;
  return self.below()->pMethods->xLock(self.below(), level);
}
int unlock(sqlite3_file* file, int level) { return of(file).below()->pMethods->xUnlock(of(file).below(), level); }
int check_lock(sqlite3_file* file, int* held) {
  return of(file).below()->pMethods->xCheckReservedLock(of(file).below(), held);
}
int control(sqlite3_file* file, int what, void* argument) {
  return of(file).below()->pMethods->xFileControl(of(file).below(), what, argument);
}
int sector_size(sqlite3_file* file) { return of(file).below()->pMethods->xSectorSize(of(file).below()); }
int characteristics(sqlite3_file* file) { return of(file).below()->pMethods->xDeviceCharacteristics(of(file).below()); }

constexpr sqlite3_io_methods kMethods{1, close, read, write, truncate, sync, file_size, lock, unlock, check_lock, control,
                                      sector_size, characteristics, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  return of(file).below()->pMethods->xShmMap(of(file).below(), region, size, extend, memory);
}
int lock_shared(sqlite3_file* file, int at, int count, int flags) {
  return of(file).below()->pMethods->xShmLock(of(file).below(), at, count, flags);
}
void barrier(sqlite3_file* file) { of(file).below()->pMethods->xShmBarrier(of(file).below()); }
int unmap_shared(sqlite3_file* file, int remove) { return of(file).below()->pMethods->xShmUnmap(of(file).below(), remove); }

constexpr sqlite3_io_methods kSharedMethods{2, close, read, write, truncate, sync, file_size, lock, unlock, check_lock, control,
                                            sector_size, characteristics, map_shared, lock_shared, barrier, unmap_shared,
                                            nullptr, nullptr};

int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
  file->pMethods = nullptr;
  if (const int code = of(vfs).call(Kind::open); code != SQLITE_OK) return code;
  File& self = of(file);
  const int code = of(vfs).below()->xOpen(of(vfs).below(), path, self.below(), flags, out);
  if (code != SQLITE_OK) return code;
  self.vfs = &of(vfs);
  self.path = new std::string(path == nullptr ? "" : path);
  self.base.pMethods = self.vfs->memory() == FaultVfs::Memory::shared ? &kSharedMethods : &kMethods;
  self.vfs->note_open(*self.path);
  return SQLITE_OK;
}
int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  if (const int code = of(vfs).call(Kind::remove); code != SQLITE_OK) return code;
  return of(vfs).below()->xDelete(of(vfs).below(), path, sync_folder);
}
int access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
  if (const int code = of(vfs).call(Kind::access); code != SQLITE_OK) return code;
  return of(vfs).below()->xAccess(of(vfs).below(), path, flags, out);
}

int code_of(Kind kind, bool full) {
  switch (kind) {
    case Kind::open: return SQLITE_CANTOPEN;
    case Kind::remove: return SQLITE_IOERR_DELETE;
    case Kind::access: return SQLITE_IOERR_ACCESS;
    case Kind::read: return SQLITE_IOERR_READ;
    case Kind::write: return full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    case Kind::truncate: return SQLITE_IOERR_TRUNCATE;
    case Kind::sync: return SQLITE_IOERR_FSYNC;
    case Kind::size: return SQLITE_IOERR_FSTAT;
    case Kind::lock: return SQLITE_IOERR_LOCK;
  }
  return SQLITE_IOERR;
}

// 0: it is not there.
std::uint64_t inode_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

void write_image(const DiskImage& image, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, bytes] : image) write_bytes(folder / name, bytes);
}

FaultVfs::FaultVfs(Memory memory)
    : memory_(memory), below_(sqlite3_vfs_find(memory == Memory::shared ? "unix-excl" : nullptr)) {
  vfs_ = *below_;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
  vfs_.zName = name();
  vfs_.pAppData = this;
  vfs_.pNext = nullptr;
  vfs_.xOpen = open;
  vfs_.xDelete = remove;
  vfs_.xAccess = access;
  EXPECT_EQ(sqlite3_vfs_register(&vfs_, 0), SQLITE_OK);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }

void FaultVfs::set_plan(Plan plan) {
  MutexLock lock(mutex_);  // the thread of the store may still be copying its log
  plan_ = plan;
  calls_ = 0;
  fired_ = 0;
  for (std::atomic<int>& one : fired_by_kind_) one = 0;
}

int FaultVfs::call(Kind kind) {
  if (before_call_) before_call_();
  MutexLock lock(mutex_);
  const std::int64_t number = calls_++;
  const bool due = plan_.at >= 0 && (plan_.lasting || plan_.full ? number >= plan_.at : number == plan_.at);
  if (!due || (plan_.full && kind != Kind::write)) return SQLITE_OK;
  ++fired_;
  ++fired_by_kind_[static_cast<std::size_t>(kind)];
  return code_of(kind, plan_.full);
}

FaultVfs::Disk& FaultVfs::disk_of(const std::string& path) { return disks_[inode_of(path)]; }

void FaultVfs::note_open(const std::string& path) {
  MutexLock lock(mutex_);
  const std::uint64_t inode = inode_of(path);
  if (!disks_.contains(inode)) disks_[inode].bytes = file_bytes(path);
}

void FaultVfs::note_write(const std::string& path, std::int64_t at, std::int64_t size) {
  MutexLock lock(mutex_);
  Disk& disk = disk_of(path);
  for (std::int64_t sector = at / kSector; sector * kSector < at + size; ++sector) {
    disk.unwritten.insert(sector);
    disk.dropped.erase(sector);
  }
}

void FaultVfs::note_sync(const std::string& path, bool failed) {
  MutexLock lock(mutex_);
  Disk& disk = disk_of(path);
  if (failed) {
    disk.dropped.merge(disk.unwritten);
    disk.unwritten.clear();
    return;
  }
  const std::string now = file_bytes(path);
  disk.bytes.resize(now.size());
  for (const std::int64_t sector : disk.unwritten) {
    const auto at = static_cast<std::size_t>(sector * kSector);
    if (at < now.size()) disk.bytes.replace(at, kSector, now, at, kSector);
  }
  disk.unwritten.clear();
}

DiskImage FaultVfs::cut_power(const std::filesystem::path& folder, double share, std::mt19937_64& random) {
  MutexLock lock(mutex_);
  DiskImage image;
  std::bernoulli_distribution written(share);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string now = file_bytes(entry.path());
    const auto found = disks_.find(inode_of(entry.path()));
    std::string& bytes = image[entry.path().filename()];
    if (found == disks_.end()) {
      bytes = now;
      continue;
    }
    bytes = found->second.bytes;
    std::set<std::int64_t> open = found->second.unwritten;
    open.insert(found->second.dropped.begin(), found->second.dropped.end());
    for (const std::int64_t sector : open) {
      const auto at = static_cast<std::size_t>(sector * kSector);
      if (at >= now.size() || !written(random)) continue;
      if (bytes.size() < at + kSector) bytes.resize(std::min(now.size(), at + kSector));
      bytes.replace(at, kSector, now, at, kSector);
    }
  }
  return image;
}

}  // namespace azora::store
