#include "azora/keeper/program/cgroup.hpp"

#include <errno.h>

#include <initializer_list>

#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {
namespace {

constexpr std::size_t kFileRoom = 16 * 1024;

// The whole content of a small file, in memory of its own.
class Contents {
 public:
  explicit Contents(const char* path, int dir = AT_FDCWD) : text_(static_cast<char*>(sys::map(kFileRoom))) {
    const int fd = text_ == nullptr ? -1 : sys::open_at(dir, path, O_RDONLY);
    if (fd < 0) return;
    std::size_t size = 0;
    long got = 0;
    while (size < kFileRoom - 1 && (got = sys::read(fd, text_ + size, kFileRoom - 1 - size)) > 0) {
      size += static_cast<std::size_t>(got);
    }
    sys::close(fd);
    ok_ = got >= 0;
  }
  ~Contents() {
    if (text_ != nullptr) sys::unmap(text_, kFileRoom);
  }
  Contents(const Contents&) = delete;
  Contents& operator=(const Contents&) = delete;
  // Cuts into lines, each NUL-terminated.
  template <typename Visit>
  void for_each_line(Visit visit) {
    if (!ok_) return;
    for (char* at = text_; *at != 0;) {
      char* end = at;
      while (*end != 0 && *end != '\n') ++end;
      const bool last = *end == 0;
      *end = 0;
      visit(at);
      at = last ? end : end + 1;
    }
  }
  bool ok() const { return ok_; }

 private:
  char* text_;
  bool ok_ = false;
};

// The n-th word of a line, cut out of it.
char* word(char* line, int number) {
  for (; number > 0; --number) {
    while (*line != 0 && *line != ' ') ++line;
    while (*line == ' ') ++line;
  }
  return line;
}

void end_word(char* text) {
  while (*text != 0 && *text != ' ') ++text;
  *text = 0;
}

// The folder of the calling process; "" when there is none.
Path own_cgroup() {
  Path inside;
  Contents membership("/proc/self/cgroup");
  membership.for_each_line([&](char* line) {
    if (starts_with(line, "0::")) inside.add(line + 3);
  });
  if (inside.size() == 0) return {};
  Path result;
  Contents mounts("/proc/self/mountinfo");
  mounts.for_each_line([&](char* line) {
    char* separator = line;
    while (*separator != 0 && !starts_with(separator, " - cgroup2 ")) ++separator;
    if (*separator == 0 || result.size() > 0) return;
    char* mount_point = word(line, 4);
    char* root = word(line, 3);
    end_word(mount_point);
    end_word(root);
    // A mount may show a part of the hierarchy only, as in a container.
    const char* below = inside.c_str();
    if (!equal(root, "/")) {
      if (!starts_with(below, root)) return;
      below += size_of(root);
    }
    result.add(mount_point).add(equal(below, "/") ? "" : below);
  });
  return result;
}

bool write_to(int dir, const char* name, const char* text) {
  const int fd = sys::open_at(dir, name, O_WRONLY);
  if (fd < 0) return false;
  const long written = sys::write(fd, text, size_of(text));
  sys::close(fd);
  return written > 0;
}

// Whether folders made in `path` have a memory controller; asks for one if not.
bool gives_memory(const char* path) {
  bool given = false;
  const int dir = sys::open(path, O_RDONLY | O_DIRECTORY);
  if (dir < 0) return false;
  Contents controllers("cgroup.subtree_control", dir);
  controllers.for_each_line([&](char* line) {
    for (const char* at = line; *at != 0; ++at) {
      if ((at == line || at[-1] == ' ') && starts_with(at, "memory")) given = true;
    }
  });
  if (!given) given = write_to(dir, "cgroup.subtree_control", "+memory");
  sys::close(dir);
  return given;
}

// systemd marks the folders that it leaves to others; all others are its own, even where root may write.
bool is_delegated(const char* path) {
  char mark = 0;
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    if (sys::attribute(path, name, &mark, 1) == 1 && mark == '1') return true;
  }
  return false;
}

}  // namespace

Path cgroup_base() {
  const Path own = own_cgroup();
  if (own.size() == 0 || gives_memory(own.c_str())) return own;
  Path parent(own.c_str());
  parent.remove_last_part();
  return parent.size() > 0 && is_delegated(parent.c_str()) && gives_memory(parent.c_str()) ? parent : own;
}

Path cgroup_path(const char* base, const char* token, std::uint64_t serial) {
  return Path(base, "/azora-", token, "-", serial);
}

void Cgroup::renew(const char* path) {
  close();
  sys::remove_dir(path);
  fresh_ = sys::make_dir(path, 0755) == 0;
  fd_ = sys::open(path, O_RDONLY | O_DIRECTORY);
  // Without the right to add processes the folder is useless.
  if (fd_ < 0) return;
  if (!tried_) {
    forks_survive_ = fresh_ && try_child(true);
    joins_work_ = forks_survive_ || try_child(false);
    tried_ = true;
  }
  if (!joins_work_) close();
}

// Tries it with a child that ends at once: the child is started inside, or joins.
bool Cgroup::try_child(bool forked_inside) const {
  const long pid = forked_inside ? fork_into(*this) : sys::fork();
  if (pid == 0) sys::exit(forked_inside || join() >= 0 ? 0 : 1);
  if (pid < 0) return false;
  int status = -1;
  while (sys::wait_for(static_cast<int>(pid), &status) == -EINTR) {
  }
  return status == 0;
}

long Cgroup::join() const {
  const int procs = sys::open_at(fd_, "cgroup.procs", O_WRONLY);
  if (procs < 0) return procs;
  const long written = sys::write(procs, "0", 1);
  sys::close(procs);
  return written;
}

long fork_into(const Cgroup& cgroup) {
  clone_args args{};
  args.flags = CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<std::uint64_t>(cgroup.fd());
  return sys::clone3(&args, sizeof args);
}

void Cgroup::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

bool Cgroup::kill_all() const { return fd_ >= 0 && write_to(fd_, "cgroup.kill", "1"); }

bool Cgroup::limit_memory(std::uint64_t bytes) const {
  if (fd_ < 0) return false;
  if (!write_to(fd_, "memory.max", bytes == 0 ? "max" : Path(bytes).c_str())) return false;
  // All processes are killed together: a service that loses only one of them may neither work nor end.
  write_to(fd_, "memory.oom.group", "1");
  return true;
}

std::int64_t Cgroup::oom_kills() const {
  std::int64_t kills = -1;
  if (fd_ < 0) return kills;
  Contents events("memory.events", fd_);
  events.for_each_line([&](char* line) {
    if (starts_with(line, "oom_kill ")) kills = static_cast<std::int64_t>(to_number(word(line, 1)));
  });
  return kills;
}

bool kill_cgroup(const char* path) {
  const int dir = sys::open(path, O_RDONLY | O_DIRECTORY);
  if (dir < 0) return true;
  write_to(dir, "cgroup.kill", "1");
  sys::close(dir);
  return is_cgroup_empty(path);
}

bool is_cgroup_empty(const char* path) {
  bool empty = true;
  Contents events(Path(path, "/cgroup.events").c_str());
  events.for_each_line([&](char* line) {
    if (equal(line, "populated 1")) empty = false;
  });
  return empty;
}

}  // namespace azora::keeper
