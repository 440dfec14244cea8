#include "azora/keeper/usage.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "azora/base/asio_loop.hpp"
#include "azora/base/fd.hpp"

namespace azora::keeper {
namespace {

struct ProcessUse {
  pid_t session = 0;
  std::uint64_t cpu_ticks = 0;  // with those of children it has waited for
  std::uint64_t start_ticks = 0;
  std::int64_t rss_pages = 0;
};

// Fields of /proc/PID/stat behind the name, which may hold anything, spaces and brackets too; proc(5) counts
// them from 3, the state.
std::optional<ProcessUse> parse(std::string_view stat) {
  constexpr std::size_t kSession = 6, kFirstTime = 14, kLastTime = 17, kStart = 22, kRss = 24;
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::string_view left = stat.substr(name_end + 1);
  ProcessUse use;
  for (std::size_t field = 3; field <= kRss; ++field) {
    left.remove_prefix(std::min(left.find_first_not_of(' '), left.size()));
    const std::string_view text = left.substr(0, left.find(' '));
    left.remove_prefix(text.size());
    std::int64_t number = 0;
    if (field > 3 && std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) return std::nullopt;
    if (field == kSession) use.session = static_cast<pid_t>(number);
    if (field >= kFirstTime && field <= kLastTime) use.cpu_ticks += static_cast<std::uint64_t>(std::max<std::int64_t>(number, 0));
    if (field == kStart) use.start_ticks = static_cast<std::uint64_t>(number);
    if (field == kRss) use.rss_pages = number;
  }
  return use;
}

std::optional<ProcessUse> read_process(const char* pid) {
  const Fd file(::open((std::string("/proc/") + pid + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::array<char, 1024> text{};
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  return size > 0 ? parse({text.data(), static_cast<std::size_t>(size)}) : std::nullopt;
}

double seconds_since_boot() {
  timespec at{};
  ::clock_gettime(CLOCK_BOOTTIME, &at);
  return static_cast<double>(at.tv_sec) + static_cast<double>(at.tv_nsec) / 1e9;
}

}  // namespace

std::unordered_map<pid_t, Usage> UsageReader::read(const std::vector<pid_t>& mains) {
  std::unordered_map<pid_t, ProcessUse> sums;
  for (const pid_t main : mains) sums.emplace(main, ProcessUse{});
  const std::unique_ptr<DIR, int (*)(DIR*)> processes(::opendir("/proc"), ::closedir);
  while (const dirent* entry = processes ? ::readdir(processes.get()) : nullptr) {
    const std::string_view name = &entry->d_name[0];
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    const std::optional<ProcessUse> use = read_process(name.data());
    const auto sum = use ? sums.find(use->session) : sums.end();
    if (sum == sums.end()) continue;
    sum->second.cpu_ticks += use->cpu_ticks;
    sum->second.rss_pages += use->rss_pages;
    if (pid == use->session) sum->second.start_ticks = use->start_ticks;
  }

  const double ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const std::int64_t page = ::sysconf(_SC_PAGESIZE);
  const SteadyTime now = AsioLoop::steady_now();
  std::unordered_map<pid_t, Usage> usage;
  std::unordered_map<pid_t, Reading> readings;
  for (const auto& [pid, sum] : sums) {
    if (sum.start_ticks == 0) continue;
    std::uint64_t ticks = sum.cpu_ticks;
    double seconds = seconds_since_boot() - static_cast<double>(sum.start_ticks) / ticks_per_second;
    const auto former = former_.find(pid);
    if (former != former_.end() && former->second.start_ticks == sum.start_ticks) {
      // When a process ends and no other of the session waits for it, its ticks are gone.
      ticks -= std::min(ticks, former->second.cpu_ticks);
      seconds = std::chrono::duration<double>(now - former->second.at).count();
    }
    // Ticks are coarse: within a span shorter than one they say nothing.
    const double shortest = 1 / ticks_per_second;
    usage[pid] = Usage{.cpu_percent = 100 * static_cast<double>(ticks) / ticks_per_second / std::max(seconds, shortest),
                       .rss_bytes = sum.rss_pages * page};
    readings[pid] = Reading{sum.start_ticks, sum.cpu_ticks, now};
  }
  former_ = std::move(readings);
  return usage;
}

}  // namespace azora::keeper
