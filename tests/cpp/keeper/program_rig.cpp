#include "keeper/program_rig.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <sstream>

#include "azora/keeper/log_mark.hpp"
#include "support/built.hpp"
#include "support/janitor.hpp"

namespace azora::keeper {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds left_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return std::max(left, std::chrono::milliseconds{0});
}

int socket_at(const std::filesystem::path& path, bool listening) {
  const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  const auto* plain = reinterpret_cast<const sockaddr*>(&address);
  const int result = listening ? ::bind(fd, plain, sizeof address) : ::connect(fd, plain, sizeof address);
  if (result < 0 || (listening && ::listen(fd, 16) < 0)) {
    ::close(fd);
    return -1;
  }
  return fd;
}

int pidfd_of(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

char state_of(pid_t pid) {
  const std::string stat = file_text("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? 'X' : stat[name_end + 2];
}

// Far from the numbers that the program is given.
TestFd moved_up(int fd) { return TestFd(::fcntl(fd, F_DUPFD_CLOEXEC, 20)); }

}  // namespace

TestFd::~TestFd() {
  if (fd_ >= 0) ::close(fd_);
}

bool wait_readable(int fd, std::chrono::milliseconds patience) {
  pollfd poll{fd, POLLIN, 0};
  return ::poll(&poll, 1, static_cast<int>(patience.count())) > 0;
}

bool is_gone(pid_t pid) {
  const char state = state_of(pid);
  return state == 'Z' || state == 'X';
}

bool wait_gone(pid_t pid) {
  const TestFd pidfd(pidfd_of(pid));
  return pidfd.get() < 0 || wait_readable(pidfd.get());
}

std::vector<pid_t> marked_processes(const std::string& mark) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string text = file_text(entry.path() / "cmdline") + file_text(entry.path() / "environ");
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (text.find(mark) != std::string::npos && !is_gone(pid)) found.push_back(pid);
  }
  return found;
}

std::string file_text(const std::filesystem::path& path) {
  // A file of /proc may turn unreadable while it is read.
  const TestFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 0; (size = ::read(file.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

void make_fifo(const std::filesystem::path& path) { ASSERT_EQ(::mkfifo(path.c_str(), 0666), 0) << path; }

void write_line(const std::filesystem::path& path, const std::string& line) { std::ofstream(path) << line << std::endl; }

ProgramRig::ProgramRig() : ProgramRig(Options{}) {}

ProgramRig::ProgramRig(Options options) : options_(options) {
  static std::atomic<int> count{0};
  std::string path = (std::filesystem::temp_directory_path() / "azora-test-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
  // The rig's own things lie beside the runtime directory, which the program removes.
  if (!options_.ephemeral) clean_up_after(path);
  dir = std::filesystem::path(path) / "run";
  std::filesystem::create_directory(dir);
  mark = "rig-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  fifo_path = std::filesystem::path(path) / "fifo";
  make_fifo(fifo_path);
  fifo_.reset(::open(fifo_path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  begin_orchestrator();
  if (options_.orchestrator_fd >= 0) orchestrator_.reset(::dup(options_.orchestrator_fd));
}

ProgramRig::~ProgramRig() {
  end_orchestrator();
  for (const pid_t pid : marked_processes(mark)) {
    if (!wait_gone(pid)) {
      ADD_FAILURE() << "process " << pid << " outlived its orchestrator: " << file_text("/proc/" + std::to_string(pid) + "/cmdline");
      signal_process(pid, SIGKILL);
    }
  }
  std::filesystem::remove_all(dir.parent_path());
}

void ProgramRig::begin_orchestrator() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  orchestrator_.reset(ends[0]);
  life_.reset(ends[1]);
}

void ProgramRig::end_orchestrator() {
  link_.reset();
  life_.reset();
}

void ProgramRig::start_keeper() {
  const std::filesystem::path path = dir / kKeeperSocket;
  std::filesystem::remove(path);
  TestFd listener = moved_up(TestFd(socket_at(path, true)).get());
  const TestFd orchestrator = moved_up(orchestrator_.get());
  ASSERT_GE(listener.get(), 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, listener.get(), 3);
  ::posix_spawn_file_actions_adddup2(&actions, orchestrator.get(), 4);
  ::posix_spawn_file_actions_addchdir_np(&actions, dir.c_str());
  std::array<const char*, 5> argv{"azora-keeper", "keeper", options_.ephemeral ? "ephemeral" : "durable", mark.c_str(), nullptr};
  std::array<const char*, 2> env{options_.cgroup ? nullptr : "AZORA_NO_CGROUP=1", nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, kKeeperProgram, &actions, nullptr, const_cast<char**>(argv.data()),
                                   const_cast<char**>(env.data()));
  ::posix_spawn_file_actions_destroy(&actions);
  ASSERT_EQ(failed, 0);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  listener.reset();
  connect(++epoch);
  ASSERT_TRUE(read_until([this] { return keeper_pid != 0; }));
}

void ProgramRig::connect(std::uint64_t with_epoch, const std::string& boot_id) {
  link_.reset(socket_at(dir / kKeeperSocket, false));
  ASSERT_GE(link_.get(), 0);
  epoch = with_epoch;
  link_ended = false;
  keeper_pid = 0;
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  Hello hello;
  hello.pid = ::getpid();
  hello.boot_id = {boot_id.c_str(), static_cast<std::uint32_t>(boot_id.size())};
  frame.resize(write_hello(frame.data(), frame.size(), hello, epoch));
  send(frame);
}

LaunchRequest ProgramRig::shell(std::uint64_t serial, const std::string& script, std::uint64_t incarnation) const {
  LaunchRequest request;
  request.serial = serial;
  request.incarnation = incarnation;
  request.id = mark;
  request.argv = {"sh", "-c", script};
  request.env_before = {"PATH=/usr/local/bin:/usr/bin:/bin", "MARK=" + mark, "FIFO=" + fifo_path.string()};
  return request;
}

void ProgramRig::send(const std::vector<std::uint8_t>& frame) {
  ASSERT_FALSE(frame.empty());
  ASSERT_EQ(::send(link_.get(), frame.data(), frame.size(), MSG_NOSIGNAL), static_cast<ssize_t>(frame.size()));
}

void ProgramRig::say(FrameType type, std::uint64_t serial, std::uint64_t incarnation) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  const bool empty = type == FrameType::list || type == FrameType::goodbye;
  frame.resize(empty ? write_empty(frame.data(), frame.size(), type, ++request_, epoch)
                     : write_ref(frame.data(), frame.size(), type, {serial, incarnation}, ++request_, epoch));
  send(frame);
}

void ProgramRig::stop(std::uint64_t serial, const StopOrder& order, std::uint64_t incarnation) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_stop(frame.data(), frame.size(), {serial, incarnation}, order, ++request_, epoch));
  send(frame);
}

void ProgramRig::reclaim(const Record& record) {
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_record(frame.data(), frame.size(), FrameType::reclaim, record, ++request_, epoch));
  send(frame);
}

bool ProgramRig::read_until(const std::function<bool()>& done) {
  const auto deadline = Clock::now() + kPatience;
  std::vector<std::uint8_t> frame(kMaxFrame);
  while (!done()) {
    if (link_.get() < 0 || !wait_readable(link_.get(), left_until(deadline))) return false;
    const ssize_t size = ::recv(link_.get(), frame.data(), frame.size(), 0);
    if (size <= 0) {
      link_ended = true;
      link_.reset();
      return done();
    }
    on_frame(frame.data(), static_cast<std::size_t>(size));
  }
  return true;
}

void ProgramRig::on_frame(const std::uint8_t* frame, std::size_t size) {
  Header header;
  ASSERT_TRUE(read_header(frame, size, &header));
  seen.push_back(header.type);
  if (header.type == FrameType::hello) {
    Hello hello;
    ASSERT_TRUE(read_hello(frame, size, &hello));
    keeper_pid = hello.pid;
  } else if (is_record(header.type)) {
    Record record;
    ASSERT_TRUE(read_record(frame, size, &record));
    EXPECT_EQ(type_of(record.phase), header.type);
    records[record.serial] = record;
  } else if (header.type == FrameType::refused) {
    Refusal refusal;
    ASSERT_TRUE(read_refusal(frame, size, &refusal));
    refusals.push_back(refusal);
  }
}

Record ProgramRig::await(std::uint64_t serial, Phase phase, std::uint64_t incarnation) {
  const bool came = read_until([&] {
    const auto at = records.find(serial);
    if (at == records.end() || at->second.incarnation != incarnation) return false;
    const Phase now = at->second.phase;
    return now == phase || is_over(now) || (phase == Phase::running && now == Phase::exited);
  });
  EXPECT_TRUE(came) << "no record of phase " << static_cast<int>(phase) << " for " << serial << refusal_text();
  return records[serial];
}

Record ProgramRig::launch_and_await(const LaunchRequest& request, Phase phase) {
  launch(request);
  return await(request.serial, phase, request.incarnation);
}

bool ProgramRig::await_end_of_link() {
  read_until([this] { return link_ended; });
  return link_ended;
}

bool ProgramRig::list() {
  records.clear();
  say(FrameType::list);
  return await_frame(FrameType::list_end);
}

bool ProgramRig::await_frame(FrameType type) {
  const std::size_t from = seen.size();
  return read_until([&] {
    return std::find(seen.begin() + static_cast<std::ptrdiff_t>(from), seen.end(), type) != seen.end();
  });
}

std::string ProgramRig::line() {
  const auto deadline = Clock::now() + kPatience;
  for (;;) {
    if (const auto end = lines_.find('\n'); end != std::string::npos) {
      std::string first = lines_.substr(0, end);
      lines_.erase(0, end + 1);
      return first;
    }
    if (!wait_readable(fifo_.get(), left_until(deadline))) {
      ADD_FAILURE() << "no service said anything";
      return "0";
    }
    std::array<char, 4096> buffer{};
    const ssize_t size = ::read(fifo_.get(), buffer.data(), buffer.size());
    if (size > 0) lines_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

pid_t ProgramRig::shim_of(std::uint64_t serial) const {
  const auto at = records.find(serial);
  if (at == records.end()) return 0;
  std::istringstream stat(file_text("/proc/" + std::to_string(at->second.pid) + "/stat"));
  std::string pid, name, state;
  pid_t parent = 0;
  stat >> pid >> name >> state >> parent;
  return parent;
}

std::string ProgramRig::log_of(std::uint64_t serial) const {
  std::map<long, std::string> parts;
  for (const auto& entry : std::filesystem::directory_iterator(folder(serial))) {
    const std::string name = entry.path().filename();
    if (name.ends_with(kTimesSuffix)) continue;
    if (name.starts_with(kLogPrefix)) parts[std::stol(name.substr(sizeof kLogPrefix - 1))] = file_text(entry.path());
  }
  std::string text;
  for (const auto& [number, part] : parts) text += part;
  return text;
}

std::string ProgramRig::refusal_text() const {
  if (refusals.empty()) return "";
  return "; last refusal: code " + std::to_string(static_cast<int>(refusals.back().code)) + " for frame " +
         std::to_string(static_cast<int>(refusals.back().type));
}

}  // namespace azora::keeper
