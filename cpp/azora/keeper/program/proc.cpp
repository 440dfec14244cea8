#include "azora/keeper/program/proc.hpp"

#include "azora/keeper/program/directory.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

// Parents from every process's stat, for kernels built without /proc/PID/task/TID/children.
void add_children_by_scan(int pid, PidList* list) {
  for_each_name("/proc", [&](const char* name) {
    const auto candidate = static_cast<int>(number_or_zero(name));
    ProcessStat stat;
    if (candidate > 0 && read_stat(candidate, &stat) && stat.parent == pid) list->add(candidate);
  });
}

bool has_children_files() {
  static int known = 0;
  if (known == 0) {
    const int own = sys::own_pid();
    const int fd = sys::open(Path("/proc/self/task/", own, "/children").c_str(), O_RDONLY);
    known = fd >= 0 ? 1 : -1;
    if (fd >= 0) sys::close(fd);
  }
  return known > 0;
}

// "12 345 " of one thread. Numbers may be cut by the end of the buffer.
void add_listed(int fd, PidList* list) {
  char buffer[512];
  std::uint64_t number = 0;
  bool in_number = false;
  long size = 0;
  while ((size = sys::read(fd, buffer, sizeof buffer)) > 0) {
    for (long i = 0; i < size; ++i) {
      if (is_digit(buffer[i])) {
        number = number * 10 + static_cast<std::uint64_t>(buffer[i] - '0');
        in_number = true;
      } else if (in_number) {
        list->add(static_cast<int>(number));
        number = 0;
        in_number = false;
      }
    }
  }
}

}  // namespace

PidList::PidList() : pids_(static_cast<int*>(sys::map(kMost * sizeof(int)))) {}
PidList::~PidList() {
  if (pids_ != nullptr) sys::unmap(pids_, kMost * sizeof(int));
}

bool PidList::contains(int pid) const {
  for (int i = 0; i < count_; ++i) {
    if (pids_[i] == pid) return true;
  }
  return false;
}

void ProcessSet::add(const ProcessStat& process) {
  if (known_ == nullptr) known_ = static_cast<Identity*>(sys::map(kMost * sizeof(Identity)));
  if (known_ != nullptr && count_ < kMost) known_[count_++] = {process.pid, process.start_ticks};
}

bool ProcessSet::contains(const ProcessStat& process) const {
  for (int i = 0; i < count_; ++i) {
    if (known_[i].pid == process.pid && known_[i].start_ticks == process.start_ticks) return true;
  }
  return false;
}

void ProcessSet::clear() {
  if (known_ != nullptr) sys::unmap(known_, kMost * sizeof(Identity));
  known_ = nullptr;
  count_ = 0;
}

bool read_stat(int pid, ProcessStat* stat) {
  const int fd = sys::open(Path("/proc/", pid, "/stat").c_str(), O_RDONLY);
  if (fd < 0) return false;
  char text[512];
  const long size = sys::read(fd, text, sizeof text - 1);
  sys::close(fd);
  if (size <= 0) return false;
  text[size] = 0;
  // The name in parentheses may hold anything, even a ')': the fields begin behind the last one.
  long at = size;
  while (at > 0 && text[at] != ')') --at;
  const char* field = text + at + 2;
  stat->pid = pid;
  stat->state = *field;
  constexpr int kParent = 4;
  constexpr int kSession = 6;
  constexpr int kStart = 22;
  for (int number = 4; number <= kStart; ++number) {
    while (*field != ' ' && *field != 0) ++field;
    while (*field == ' ') ++field;
    if (*field == 0) return false;
    if (number == kParent) stat->parent = static_cast<int>(to_number(field));
    if (number == kSession) stat->session = static_cast<int>(to_number(field));
    if (number == kStart) stat->start_ticks = to_number(field);
  }
  return true;
}

std::uint64_t pipe_inode(int pid, int fd) {
  char target[64];
  const long size = sys::read_link(Path("/proc/", pid, "/fd/", fd).c_str(), target, sizeof target - 1);
  if (size <= 0) return 0;
  target[size] = 0;
  constexpr char kPipe[] = "pipe:[";
  return starts_with(target, kPipe) ? to_number(target + sizeof kPipe - 1) : 0;
}

void add_children(int pid, PidList* list) {
  if (!has_children_files()) return add_children_by_scan(pid, list);
  const Path tasks("/proc/", pid, "/task");
  for_each_name(tasks.c_str(), [&](const char* name) {
    if (number_or_zero(name) == 0) return;
    const int fd = sys::open(Path(tasks.c_str(), "/", name, "/children").c_str(), O_RDONLY);
    if (fd < 0) return;
    add_listed(fd, list);
    sys::close(fd);
  });
}

}  // namespace azora::keeper
