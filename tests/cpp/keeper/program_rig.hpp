#pragma once
// Drives the real azora-keeper over its socket, as an orchestrator whose death is ours to choose.
// Everything waits on descriptors with a deadline. Threads: the test's.
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "azora/keeper/launch_frame.hpp"
#include "azora/keeper/protocol.hpp"
#include "support/signal_process.hpp"

namespace azora::keeper {

inline constexpr std::chrono::seconds kPatience{20};  // for what must happen; a test that passes never waits it out

// Owns a descriptor.
class TestFd {
 public:
  explicit TestFd(int fd = -1) : fd_(fd) {}
  TestFd(TestFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  TestFd& operator=(TestFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~TestFd();
  int get() const { return fd_; }
  void reset(int fd = -1) { *this = TestFd(fd); }

 private:
  int fd_;
};

bool wait_readable(int fd, std::chrono::milliseconds patience = kPatience);

// True when no such process lives (a zombie is dead).
bool is_gone(pid_t pid);
// Waits for its end.
bool wait_gone(pid_t pid);
// Pids of living processes that have `mark` in their command line or environment.
std::vector<pid_t> marked_processes(const std::string& mark);
std::string file_text(const std::filesystem::path& path);

void make_fifo(const std::filesystem::path& path);
// Waits for the reader of that fifo, which a service is about to be.
void write_line(const std::filesystem::path& path, const std::string& line);

class ProgramRig {
 public:
  struct Options {
    bool cgroup = true;
    bool ephemeral = true;
    int orchestrator_fd = -1;  // instead of a pipe of ours
  };
  ProgramRig();
  explicit ProgramRig(Options options);
  // Ends the orchestrator and waits until nothing is left.
  ~ProgramRig();

  // Binds the socket, runs a keeper, connects and says hello.
  void start_keeper();
  void connect(std::uint64_t epoch, const std::string& boot_id = "");
  void end_orchestrator();
  void begin_orchestrator();  // another one, after the end of the former

  // A launch with what every test needs: PATH, MARK, FIFO, and /bin/sh -c `script`.
  LaunchRequest shell(std::uint64_t serial, const std::string& script, std::uint64_t incarnation = 1) const;
  void send(const std::vector<std::uint8_t>& frame);
  void launch(const LaunchRequest& request) { send(launch_frame(request, ++request_, epoch)); }
  void say(FrameType type, std::uint64_t serial = 0, std::uint64_t incarnation = 1);
  void stop(std::uint64_t serial, const StopOrder& order = {}, std::uint64_t incarnation = 1);
  void reclaim(const Record& record);

  // Reads frames until `done`; false: the link ended, or patience did.
  bool read_until(const std::function<bool()>& done);
  // The record of that phase or a later one, once it came.
  Record await(std::uint64_t serial, Phase phase, std::uint64_t incarnation = 1);
  Record launch_and_await(const LaunchRequest& request, Phase phase = Phase::running);
  // Reads until the keeper closes the connection.
  bool await_end_of_link();
  // Asks for all records, which replace those known.
  bool list();
  bool await_frame(FrameType type);

  // What the services told through "$FIFO": one line.
  std::string line();
  pid_t pid_line() { return static_cast<pid_t>(std::stol(line())); }

  pid_t shim_of(std::uint64_t serial) const;
  std::filesystem::path folder(std::uint64_t serial) const { return dir / std::to_string(serial); }
  std::string log_of(std::uint64_t serial) const;
  std::string refusal_text() const;

  std::filesystem::path dir;
  std::filesystem::path fifo_path;
  std::string mark;  // in the environment or command line of all that belongs to this rig
  std::uint64_t epoch = 0;
  pid_t keeper_pid = 0;
  std::map<std::uint64_t, Record> records;
  std::vector<Refusal> refusals;
  std::vector<FrameType> seen;
  bool link_ended = false;

 private:
  void on_frame(const std::uint8_t* frame, std::size_t size);
  Options options_;
  TestFd link_;
  TestFd fifo_;
  TestFd orchestrator_;  // what the program watches
  TestFd life_;          // its other end: closed, the orchestrator is dead
  std::string lines_;
  std::uint64_t request_ = 0;
};

}  // namespace azora::keeper
