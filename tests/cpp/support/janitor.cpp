#include "support/janitor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "support/signal_process.hpp"

namespace azora {
namespace {

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool belongs(pid_t pid, const std::filesystem::path& folder) {
  const std::filesystem::path process = "/proc/" + std::to_string(pid);
  std::error_code ignored;
  const std::string works_in = std::filesystem::read_symlink(process / "cwd", ignored).string();
  if (works_in == folder.string() || works_in.starts_with(folder.string() + "/")) return true;
  // A shim whose folder was removed is named by it all the same: "... (deleted)".
  const std::string mark = "AZORA_TEST_MARK=" + folder.filename().string();
  return file_text(process / "environ").find(mark) != std::string::npos;
}

// A shim that is killed leaves its service to others, and those have the mark: until none is found.
void kill_all_of(const std::vector<std::filesystem::path>& folders) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    int found = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const auto pid = static_cast<pid_t>(std::stol(name));
      if (pid <= 1 || pid == ::getpid()) continue;
      for (const std::filesystem::path& folder : folders) {
        if (!belongs(pid, folder)) continue;
        ++found;
        signal_process(pid, SIGKILL);
        break;
      }
    }
    if (found == 0) break;
    ::poll(nullptr, 0, 20);  // for what was killed to be gone
  }
  std::error_code ignored;
  for (const std::filesystem::path& folder : folders) std::filesystem::remove_all(folder, ignored);
}

[[noreturn]] void be_janitor(int pipe) {
  ::setsid();
  ::prctl(PR_SET_NAME, "test-janitor");
  if (pipe != 3) ::dup2(pipe, 3);
  ::syscall(SYS_close_range, 4U, ~0U, 0U);
  for (const int number : {0, 1, 2}) ::dup2(::open("/dev/null", O_RDWR), number);
  std::string text;
  std::array<char, 4096> bytes{};
  ssize_t size = 0;
  while ((size = ::read(3, bytes.data(), bytes.size())) > 0) text.append(bytes.data(), static_cast<std::size_t>(size));
  std::vector<std::filesystem::path> folders;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) folders.emplace_back(line);
  kill_all_of(folders);
  ::_exit(0);
}

// Its end of the pipe is closed by the kernel when this process ends.
int start_janitor() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return -1;
  const pid_t first = ::fork();
  if (first == 0) {
    // A grandchild: no waitpid of a test meets it.
    if (::fork() == 0) be_janitor(ends[0]);
    ::_exit(0);
  }
  ::close(ends[0]);
  if (first < 0 || ::waitpid(first, nullptr, 0) != first) return -1;
  return ends[1];
}

}  // namespace

void clean_up_after(const std::filesystem::path& folder) {
  static const int pipe = start_janitor();
  static const pid_t owner = ::getpid();
  if (owner != ::getpid()) return;  // forked from a test: its parent has told
  const std::string line = folder.string() + "\n";
  ASSERT_EQ(::write(pipe, line.data(), line.size()), static_cast<ssize_t>(line.size()));
}

}  // namespace azora
