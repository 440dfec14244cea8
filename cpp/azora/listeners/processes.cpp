#include "azora/listeners/processes.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>

#include "azora/base/fd.hpp"

namespace azora::listeners {
namespace {

std::string proc(pid_t pid, std::string_view file) { return "/proc/" + std::to_string(pid) + "/" + std::string(file); }

pid_t number(std::string_view text) {
  pid_t found = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), found);
  return failure == std::errc{} && end == text.data() + text.size() ? found : 0;
}

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

Folder open_folder(const std::string& path) { return {::opendir(path.c_str()), ::closedir}; }

// "12 345 "
void add_numbers(std::string_view text, std::vector<pid_t>& pids) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (const pid_t pid = number(text.substr(0, end)); pid > 0) pids.push_back(pid);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Where the v2 hierarchy is mounted; empty: nowhere.
std::string cgroup_mount() {
  const std::optional<std::string> text = read_file("/proc/self/mountinfo");
  std::string_view left = text ? std::string_view(*text) : std::string_view();
  while (!left.empty()) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    if (line.find(" - cgroup2 ") == std::string_view::npos) continue;
    constexpr int kMountPoint = 4;
    std::string_view field = line;
    for (int i = 0; i < kMountPoint; ++i) field.remove_prefix(std::min(field.find(' ') + 1, field.size()));
    return std::string(field.substr(0, field.find(' ')));
  }
  return {};
}

}  // namespace

std::optional<std::string> read_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 16 * 1024> part;
  while (true) {
    const ssize_t size = ::read(file.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    if (size == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(size));
  }
}

std::optional<std::string> read_link(const std::string& path) {
  std::array<char, 4096> target;
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(size));
}

// The name in parentheses may hold anything, even a ')': the fields begin behind the last one.
std::optional<pid_t> parent_of(pid_t pid) {
  const std::optional<std::string> stat = read_file(proc(pid, "stat"));
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos || name_end + 4 >= stat->size()) return std::nullopt;
  const std::string_view parent = std::string_view(*stat).substr(name_end + 4);  // ") S 1 "
  return number(parent.substr(0, parent.find(' ')));
}

std::string name_of(pid_t pid) {
  std::string name = read_file(proc(pid, "comm")).value_or("");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  for (char& byte : name) {
    if (byte < ' ' || byte > '~') byte = '?';
  }
  return name;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  const Folder folder = open_folder("/proc");
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    if (const pid_t pid = number(&entry->d_name[0]); pid > 0) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  bool listed = false;
  const Folder tasks = open_folder(proc(pid, "task"));
  while (const dirent* entry = tasks ? ::readdir(tasks.get()) : nullptr) {
    if (number(&entry->d_name[0]) == 0) continue;
    const std::optional<std::string> text = read_file(proc(pid, "task/") + &entry->d_name[0] + "/children");
    if (!text) continue;
    listed = true;
    add_numbers(*text, children);
  }
  if (listed) return children;
  // The kernel was built without these lists.
  for (const pid_t candidate : all_processes()) {
    if (parent_of(candidate) == pid) children.push_back(candidate);
  }
  return children;
}

bool is_only_user(pid_t pid, std::uint32_t uid) {
  constexpr std::string_view kBegin = "\nUid:";
  const std::string text = read_file(proc(pid, "status")).value_or("");
  const std::size_t at = text.find(kBegin);
  if (at == std::string::npos) return false;
  std::string_view line = std::string_view(text).substr(at + kBegin.size());
  line = line.substr(0, line.find('\n'));
  int same = 0;
  while (!line.empty()) {
    line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
    const std::string_view word = line.substr(0, line.find('\t'));
    line.remove_prefix(word.size());
    same += word == std::to_string(uid) ? 1 : 0;
  }
  return same == 4;
}

Holds holds_socket(pid_t pid, std::uint64_t inode) {
  const std::string wanted = socket_link(inode);
  const std::string path = proc(pid, "fd");
  const Folder folder = open_folder(path);
  if (!folder) return errno == EACCES || errno == EPERM ? Holds::unreadable : Holds::no;
  while (const dirent* entry = ::readdir(folder.get())) {
    std::array<char, 64> target;
    const ssize_t size = ::readlinkat(::dirfd(folder.get()), &entry->d_name[0], target.data(), target.size());
    if (size > 0 && std::string_view(target.data(), static_cast<std::size_t>(size)) == wanted) return Holds::yes;
    if (size < 0 && (errno == EACCES || errno == EPERM)) return Holds::unreadable;
  }
  return Holds::no;
}

std::string socket_link(std::uint64_t inode) { return "socket:[" + std::to_string(inode) + "]"; }

void for_each_socket(pid_t pid, const std::function<void(std::uint64_t, const std::string&)>& visit) {
  const std::string path = proc(pid, "fd/");
  const Folder folder = open_folder(path);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    constexpr std::string_view kBegin = "socket:[";
    std::array<char, 64> target;
    const ssize_t size = ::readlinkat(::dirfd(folder.get()), &entry->d_name[0], target.data(), target.size());
    const std::string_view link(target.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (!link.starts_with(kBegin)) continue;
    std::uint64_t inode = 0;
    std::from_chars(link.data() + kBegin.size(), link.data() + link.size(), inode);
    visit(inode, path + &entry->d_name[0]);
  }
}

std::uint64_t service_cgroup_of(pid_t pid) {
  constexpr std::string_view kV2 = "0::";
  constexpr std::string_view kOurs = "/azora-";
  const std::string text = "\n" + read_file(proc(pid, "cgroup")).value_or("");
  const std::size_t line = text.find("\n" + std::string(kV2));
  if (line == std::string::npos) return 0;
  std::string path = text.substr(line + 1 + kV2.size());
  path.resize(std::min(path.find('\n'), path.size()));
  const std::size_t ours = path.rfind(kOurs);
  if (ours == std::string::npos) return 0;
  path.resize(std::min(path.find('/', ours + 1), path.size()));
  const std::string mount = cgroup_mount();
  struct stat found {};
  if (mount.empty() || ::stat((mount + path).c_str(), &found) != 0) return 0;
  return found.st_ino;
}

}  // namespace azora::listeners
