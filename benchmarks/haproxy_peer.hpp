#pragma once
// HAProxy as the peer of bench_prober: the same targets, checks and interval, one thread on the same processor. From
// 3.2 on it keeps its connections between checks (check-reuse-pool); before, each check makes a new one.
// Threads: one. Ownership: ends its process and removes its file. Fails: by name() empty (there is none) or start()
// false.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

namespace azora::bench {

class HaproxyPeer {
 public:
  // `program`: a path; empty: the one on PATH or in the system's folders.
  explicit HaproxyPeer(std::string program) : program_(program.empty() ? find() : std::move(program)) {
    if (program_.empty()) return;
    if (FILE* said = ::popen((program_ + " -v 2>/dev/null").c_str(), "r")) {
      char line[256];
      unsigned major = 0;
      unsigned minor = 0;
      if (std::fgets(line, sizeof line, said) && std::sscanf(line, "HAProxy version %u.%u", &major, &minor) == 2) {
        name_ = "HAProxy " + std::to_string(major) + "." + std::to_string(minor);
        reuses_ = major > 3 || (major == 3 && minor >= 2);
      }
      ::pclose(said);
    }
  }
  ~HaproxyPeer() { stop(); }
  HaproxyPeer(const HaproxyPeer&) = delete;
  HaproxyPeer& operator=(const HaproxyPeer&) = delete;

  const std::string& name() const { return name_; }  // empty: there is none
  bool reuses() const { return reuses_; }            // connections, between checks

  // Checks `targets` addresses, as address(i) says them, at `port`.
  bool start(int targets, int interval_ms, bool keep_alive, std::uint16_t port, int cpu,
             const std::function<std::string(int)>& address) {
    const bool reuse = reuses_ && keep_alive;
    file_ = std::filesystem::temp_directory_path() / ("azora-bench-" + std::to_string(::getpid()) + ".cfg");
    std::ofstream out(file_);
    out << "global\n  nbthread 1\n  maxconn 1000\n";
    if (reuse) out << "  tune.pool-low-fd-ratio 80\n  tune.pool-high-fd-ratio 90\n";
    out << "defaults\n  mode http\n  timeout connect 2s\n  timeout client 2s\n  timeout server 2s\n  timeout check 2s\n"
        << "frontend none\n  bind abns@azora-bench-" << ::getpid() << "\n  default_backend targets\n"
        << "backend targets\n  option httpchk\n  http-check send meth GET uri /health ver HTTP/1.1 hdr Host target"
        << (reuse ? " hdr Connection keep-alive\n  http-reuse always\n" : "\n") << "  http-check expect status 200\n"
        << "  default-server inter " << interval_ms << "ms" << (reuse ? " check-reuse-pool\n" : "\n");
    for (int i = 0; i < targets; ++i) out << "  server s" << i << " " << address(i) << ":" << port << " check\n";
    out.close();
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(static_cast<std::size_t>(cpu), &set);
        ::sched_setaffinity(0, sizeof set, &set);
      }
      const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
      ::dup2(nowhere, 1);
      ::dup2(nowhere, 2);
      ::execl(program_.c_str(), program_.c_str(), "-db", "-f", file_.c_str(), nullptr);
      ::_exit(127);
    }
    return child_ > 0;
  }
  pid_t pid() const { return child_; }
  bool alive() const { return child_ > 0 && ::waitpid(child_, nullptr, WNOHANG) == 0; }

  double cpu_seconds() const {
    double used = 0;
    std::error_code gone;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(child_) + "/task", gone)) {
      double nanoseconds = 0;
      std::ifstream(task.path() / "schedstat") >> nanoseconds;
      used += nanoseconds * 1e-9;
    }
    return used;
  }

  void stop() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
      child_ = 0;
    }
    if (!file_.empty()) std::filesystem::remove(file_);
  }

 private:
  static std::string find() {
    std::string folders = std::getenv("PATH") ? std::getenv("PATH") : "";
    folders += ":/usr/local/sbin:/usr/sbin:";
    for (std::size_t from = 0, end = 0; (end = folders.find(':', from)) != std::string::npos; from = end + 1) {
      const std::string path = folders.substr(from, end - from) + "/haproxy";
      if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
  }

  std::string program_;
  std::string name_;
  bool reuses_ = false;
  std::filesystem::path file_;
  pid_t child_ = 0;
};

}  // namespace azora::bench
