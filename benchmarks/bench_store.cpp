// What a durable commit costs on this disk: commits a second of one row of 400 bytes, by one caller who waits for each
// answer, and with 64 callers of which each waits for its own. Beside it, in turns: appending the same bytes to a file
// with an fdatasync each, and with one for 64. One JSON line per round and a last one with the medians.
// Use: bench_store [folder=.] [rounds=5] [ms=1000]
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/base/fd.hpp"
#include "azora/base/thread_role.hpp"
#include "azora/store/sqlite_store.hpp"

namespace {

using namespace azora;
using namespace azora::store;
using Clock = std::chrono::steady_clock;

constexpr int kCallers = 64;
constexpr std::size_t kRow = 400;

[[noreturn]] void fail(const std::string& words) {
  std::fprintf(stderr, "bench_store: %s\n", words.c_str());
  std::exit(1);
}

// Callers that commit again as soon as they are answered, until the time is over.
class Callers : public StoreListener {
 public:
  Callers(AsioLoop& loop, SqliteStore& store) : loop_(loop), store_(store) { store.set_listener(this); }

  double commits_a_second(int callers, Millis time) {
    committed_ = 0;
    const auto begin = Clock::now();
    end_ = begin + time;
    for (int i = 0; i < callers; ++i) commit();
    loop_.run();
    return static_cast<double>(committed_) / std::chrono::duration<double>(Clock::now() - begin).count();
  }
  void on_committed(Ticket) override {
    ++committed_;
    --under_way_;
    if (Clock::now() < end_) return commit();
    if (under_way_ == 0) loop_.stop();
  }
  void on_failed(Ticket, const Failure& failure) override { fail(failure.reason); }

 private:
  void commit() {
    ++under_way_;
    const Key key{Table::services, std::to_string(next_++ % 1'000)};
    store_.commit({.rows = {{key, std::string(kRow, 'r')}}, .removed = {}});
  }

  AsioLoop& loop_;
  SqliteStore& store_;
  Clock::time_point end_;
  std::uint64_t committed_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint64_t next_ = 0;
};

double appends_a_second(const std::filesystem::path& folder, int together, Millis time) {
  const Fd file(::open((folder / "appended").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const std::string row(kRow, 'r');
  std::uint64_t appended = 0;
  const auto begin = Clock::now();
  while (Clock::now() < begin + time) {
    for (int i = 0; i < together; ++i, ++appended) {
      if (::write(file.get(), row.data(), row.size()) != static_cast<ssize_t>(row.size())) fail("write failed");
    }
    if (::fdatasync(file.get()) < 0) fail("fdatasync failed");
  }
  return static_cast<double>(appended) / std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options{{"folder", "."}, {"rounds", "5"}, {"ms", "1000"}};
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || !options.contains(text.substr(0, equals))) fail("use: bench_store [folder=.] [rounds=5] [ms=1000]");
    options[text.substr(0, equals)] = text.substr(equals + 1);
  }
  std::string path = std::filesystem::absolute(options["folder"]) / "azora-bench-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) fail("no folder can be made in " + options["folder"]);
  const Millis time(std::atoi(options["ms"].c_str()));
  const ThreadRole::Scope role(control_thread);
  AsioLoop loop;
  Result<std::unique_ptr<SqliteStore>> store = SqliteStore::open(path + "/state", loop, {});
  if (!store) fail(store.error().message);
  Callers callers(loop, *store.value());
  callers.commits_a_second(kCallers, time / 4);  // the rows are there, and the log has its length

  std::map<std::string, std::vector<double>> figures;
  const std::vector<std::pair<std::string, std::function<double()>>> cases{
      {"one caller", [&] { return callers.commits_a_second(1, time); }},
      {"64 callers", [&] { return callers.commits_a_second(kCallers, time); }},
      {"fdatasync of each append", [&] { return appends_a_second(path, 1, time); }},
      {"fdatasync of 64 appends", [&] { return appends_a_second(path, kCallers, time); }},
  };
  for (int round = 0; round < std::atoi(options["rounds"].c_str()); ++round) {
    for (const auto& [name, measure] : cases) {
      figures[name].push_back(measure());
      std::printf("{\"case\": \"%s\", \"per_second\": %.0f}\n", name.c_str(), figures[name].back());
    }
  }
  std::printf("{\"medians\": {");
  const char* comma = "";
  for (const auto& [name, values] : figures) {
    std::printf("%s\"%s\": %.0f", comma, name.c_str(), median(values));
    comma = ", ";
  }
  std::printf("}}\n");
  store.value().reset();
  std::filesystem::remove_all(path);
  return 0;
}
