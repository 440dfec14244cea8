// make sim: the simulation as far as a budget reaches. Months of larger fleets until --years service-years are over, and
// for each service-year some short runs with a fault every few seconds, in which orchestrators and keepers end at any step,
// and runs with all kinds of actions. --jobs processes share the seeds; which seeds are run follows from --years alone.
// Prints what was gone through; ends with 1 and the line that replays the seed when a promise is broken.
//   azora_sim --years 300 --jobs 2      the budget
//   azora_sim --kind lives --seed 17    replays one seed with its story
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "sim/simulation.hpp"

namespace azora::orchestrator {
namespace {

using Kind = Simulation::Kind;

constexpr const char* kKinds[] = {"ours", "all", "lives", "years"};
// Beside each service-year.
constexpr int kLivesPerYear = 40;
constexpr int kAllPerYear = 10;
// Each of so many is run twice, and must do the same.
constexpr std::uint64_t kTwice = 50;

struct Settings {
  double years = 300;
  unsigned jobs = 2;
  std::optional<Kind> kind;
  std::optional<std::uint64_t> seed;
};

struct Sums {
  std::map<std::string, Tally> by_kind;
  std::uint64_t repeated = 0;
  double cpu_seconds = 0;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

[[noreturn]] void fail(Kind kind, std::uint64_t seed, const std::string& report) {
  const char* word = kKinds[static_cast<int>(kind)];
  std::cout << report << "\nreplay: azora_sim --kind " << word << " --seed " << seed << "\nkeep: {Kind::" << word << ", " << seed
            << ", \"...\"}," << std::endl;
  std::_Exit(1);
}

Tally run(Kind kind, std::uint64_t seed, Sums& sums) {
  Simulation simulation(seed, kind);
  simulation.run();
  if (simulation.failed()) fail(kind, seed, simulation.report());
  if (seed % kTwice == 0 && kind != Kind::years) {
    Simulation again(seed, kind);
    again.run();
    ++sums.repeated;
    if (again.trace() != simulation.trace()) fail(kind, seed, "seed " + std::to_string(seed) + ": two runs of it differ");
  }
  const Tally tally = simulation.tally();
  sums.by_kind[kKinds[static_cast<int>(kind)]].add(tally);
  return tally;
}

// The share of one process.
Sums run_share(const Settings& settings, unsigned job) {
  Sums sums;
  const double share = settings.years / settings.jobs;
  double years = 0;
  int lives = 0;
  int all = 0;
  std::uint64_t next_lives = 1 + job;
  std::uint64_t next_all = 1 + job;
  for (std::uint64_t seed = 1 + job; years < share; seed += settings.jobs) {
    years += run(Kind::years, seed, sums).service_years;
    const double done = std::min(years, share);
    for (; lives < kLivesPerYear * done; ++lives, next_lives += settings.jobs) run(Kind::lives, next_lives, sums);
    for (; all < kAllPerYear * done; ++all, next_all += settings.jobs) run(Kind::all, next_all, sums);
    std::cout << "process " << job << ": " << static_cast<int>(100 * done / share) << " %, " << static_cast<int>(done)
              << " service-years, " << static_cast<int>(cpu_seconds()) << " s of CPU" << std::endl;
  }
  sums.cpu_seconds = cpu_seconds();
  return sums;
}

// One process writes what another one reads: numbers and, as the last of a line, words.
std::string written(const Sums& sums) {
  std::ostringstream out;
  out << sums.repeated << ' ' << sums.cpu_seconds << '\n';
  for (const auto& [kind, tally] : sums.by_kind) {
    out << "kind " << tally.seeds << ' ' << tally.turns << ' ' << tally.checks << ' ' << tally.events << ' ' << tally.starts << ' '
        << tally.service_years << ' ' << kind << '\n';
    for (const auto& [fault, count] : tally.faults) out << "fault " << count << ' ' << fault << '\n';
  }
  return out.str();
}

void add(Sums& all, const std::string& text) {
  std::istringstream in(text);
  std::uint64_t repeated = 0;
  double seconds = 0;
  in >> repeated >> seconds;
  all.repeated += repeated;
  all.cpu_seconds += seconds;
  std::string word;
  std::string kind;
  while (in >> word) {
    Tally tally;
    if (word == "kind") {
      in >> tally.seeds >> tally.turns >> tally.checks >> tally.events >> tally.starts >> tally.service_years >> kind;
    } else {
      std::uint64_t count = 0;
      std::string fault;
      in >> count;
      std::getline(in >> std::ws, fault);
      tally.faults[fault] = count;
    }
    all.by_kind[kind].add(tally);
  }
}

void print(const Sums& sums, double wall_seconds) {
  Tally total;
  std::printf("\n%-8s %8s %14s %14s %12s %12s %12s\n", "kind", "seeds", "service-years", "turns", "checks", "events", "starts");
  const auto line = [](const char* kind, const Tally& tally) {
    std::printf("%-8s %8llu %14.2f %14llu %12llu %12llu %12llu\n", kind, static_cast<unsigned long long>(tally.seeds),
                tally.service_years, static_cast<unsigned long long>(tally.turns), static_cast<unsigned long long>(tally.checks),
                static_cast<unsigned long long>(tally.events), static_cast<unsigned long long>(tally.starts));
  };
  for (const auto& [kind, tally] : sums.by_kind) {
    line(kind.c_str(), tally);
    total.add(tally);
  }
  line("all", total);
  std::printf("\nfaults\n");
  for (const auto& [kind, count] : total.faults) std::printf("%12llu  %s\n", static_cast<unsigned long long>(count), kind.c_str());
  std::printf("\n%llu seeds run twice, each with the same trace; %.0f s of CPU, %.0f s\n0 promises broken\n",
              static_cast<unsigned long long>(sums.repeated), sums.cpu_seconds, wall_seconds);
}

int run_budget(const Settings& settings) {
  const auto begin = std::chrono::steady_clock::now();
  struct Child {
    pid_t pid;
    int from;
  };
  std::vector<Child> children;
  for (unsigned job = 0; job < settings.jobs; ++job) {
    int ends[2];
    if (::pipe(ends) != 0) return 2;
    const pid_t pid = ::fork();
    if (pid < 0) return 2;
    if (pid == 0) {
      const std::string text = written(run_share(settings, job));
      const bool sent = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
      std::_Exit(sent ? 0 : 2);
    }
    ::close(ends[1]);
    children.push_back({pid, ends[0]});
  }
  Sums sums;
  bool good = true;
  for (const Child& child : children) {
    std::string text;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(child.from, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
    int status = 0;
    ::waitpid(child.pid, &status, 0);
    if (status == 0) add(sums, text);
    if (status != 0 && !WIFEXITED(status)) std::cout << "a process ended by signal " << WTERMSIG(status) << std::endl;
    good = good && status == 0;
  }
  if (!good) return 1;
  print(sums, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return 0;
}

int replay(Kind kind, std::uint64_t seed) {
  Simulation simulation(seed, kind);
  simulation.tell_story();
  simulation.run();
  std::cout << simulation.story() << simulation.report() << "\ntrace " << simulation.trace() << std::endl;
  return simulation.failed() ? 1 : 0;
}

std::optional<Kind> kind_of(const std::string& word) {
  for (int i = 0; i < 4; ++i) {
    if (word == kKinds[i]) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

std::optional<Settings> settings_of(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    char* end = nullptr;
    if (name == "--kind") {
      settings.kind = kind_of(value);
      if (!settings.kind) return std::nullopt;
      continue;
    }
    const double number = std::strtod(value, &end);
    if (end == value || *end != '\0' || number <= 0) return std::nullopt;
    if (name == "--years") settings.years = number;
    else if (name == "--jobs") settings.jobs = static_cast<unsigned>(number);
    else if (name == "--seed") settings.seed = static_cast<std::uint64_t>(number);
    else return std::nullopt;
  }
  return settings;
}

}  // namespace
}  // namespace azora::orchestrator

int main(int argc, char** argv) {
  using namespace azora::orchestrator;
  GTEST_FLAG_SET(throw_on_failure, true);  // what the fakes expect, they expect here as well
  testing::InitGoogleTest();
  const std::optional<Settings> settings = settings_of(argc, argv);
  if (!settings || settings->kind.has_value() != settings->seed.has_value()) {
    std::cerr << "azora_sim [--years N] [--jobs N] | --kind ours|all|lives|years --seed N\n";
    return 2;
  }
  return settings->seed ? replay(*settings->kind, *settings->seed) : run_budget(*settings);
}
