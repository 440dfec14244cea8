#pragma once
// A KeeperClient over the real program, its control loop on the test's thread, and all it ever reported.
// Threads: the test's.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/keeper/client.hpp"
#include "azora/keeper/log_follower.hpp"
#include "support/built.hpp"
#include "support/janitor.hpp"
#include "support/signal_process.hpp"

namespace azora::keeper {

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct ProcessLine {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = 0;
};

// Living processes; a zombie is dead.
inline std::vector<ProcessLine> processes() {
  std::vector<ProcessLine> all;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = text_of(entry.path() / "stat");
    const std::size_t end = stat.rfind(')');
    if (end == std::string::npos) continue;
    ProcessLine line{.pid = static_cast<pid_t>(std::stol(name))};
    std::istringstream(stat.substr(end + 1)) >> line.state >> line.parent;
    if (line.state != 'Z' && line.state != 'X') all.push_back(line);
  }
  return all;
}

inline bool is_alive(pid_t pid) {
  for (const ProcessLine& line : processes()) {
    if (line.pid == pid) return true;
  }
  return false;
}

inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  for (const ProcessLine& line : processes()) {
    if (line.parent == parent) found.push_back(line.pid);
  }
  return found;
}

inline pid_t parent_of(pid_t pid) {
  for (const ProcessLine& line : processes()) {
    if (line.pid == pid) return line.parent;
  }
  return 0;
}

class ClientRig : public KeeperListener {
 public:
  // The story of one incarnation, in words: "started", "start_failed", "exited", "swept", "lost", "adopted".
  struct Life {
    std::vector<std::string> story;
    int pid = 0;
    Now started;
    Exit exit;
    std::string reason;
    std::string warning;
    Record record;  // as adopted
  };

  struct Setup {
    bool cgroups = true;
    std::string program = kKeeperProgram;
    std::filesystem::path folder;  // of a former rig; empty: a new one
    bool durable = false;          // in a runtime directory "fleet" that outlives the client
    std::uint64_t epoch = 0;
    std::function<void(ClientOptions&)> adjust = nullptr;
  };

  static std::filesystem::path new_folder() {
    std::string path = std::filesystem::temp_directory_path() / "azora-client-test-XXXXXX";
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    return path;
  }
  // The same for all rigs of one folder and for no other: it names the cgroups, and tests run side by side.
  static std::string token_of(const std::filesystem::path& folder) {
    struct stat held {};
    EXPECT_EQ(::stat(folder.c_str(), &held), 0);
    return "azora-test-" + std::to_string(held.st_ino);
  }
  explicit ClientRig(bool cgroups = true) : ClientRig(Setup{.cgroups = cgroups}) {}
  ClientRig(bool cgroups, std::string program) : ClientRig(Setup{.cgroups = cgroups, .program = std::move(program)}) {}
  explicit ClientRig(const Setup& setup) {
    folder = setup.folder.empty() ? new_folder() : setup.folder;
    ClientOptions options{.program = setup.program, .runtime_dir = folder, .build_id = "test"};
    if (setup.durable) {
      options.folder = folder / "fleet";
      options.durable = true;
      options.token = token_of(folder);
      clean_up_after(folder);
      options.epoch = setup.epoch;
    }
    if (setup.adjust) setup.adjust(options);
    const bool cgroups = setup.cgroups;
    const char* before = std::getenv("AZORA_NO_CGROUP");
    const std::string kept = before == nullptr ? "" : before;
    if (!cgroups) ::setenv("AZORA_NO_CGROUP", "1", 1);
    client = std::make_unique<KeeperClient>(loop, std::move(options));
    if (!cgroups && kept.empty()) ::unsetenv("AZORA_NO_CGROUP");
    client->set_listener(this);
  }
  ~ClientRig() override {
    client.reset();
    // Whatever a test did: the fleet is gone with its client.
    if (left_behind) return;
    EXPECT_EQ(marked(), std::vector<pid_t>{});
    std::filesystem::remove_all(folder / "fleet");
    EXPECT_TRUE(std::filesystem::is_empty(folder));
    std::filesystem::remove_all(folder);
  }

  static Launch launch_of(Serial serial, std::vector<std::string> argv, std::uint64_t incarnation = 1) {
    Launch launch{.serial = serial, .incarnation = incarnation, .id = "s" + std::to_string(serial)};
    launch.spec.argv = std::move(argv);
    return launch;
  }
  Launch shell(Serial serial, const std::string& script, std::uint64_t incarnation = 1) const {
    Launch launch = launch_of(serial, {"/bin/sh", "-c", script}, incarnation);
    launch.spec.env.emplace_back("AZORA_TEST_MARK", folder.filename());
    return launch;
  }

  // Runs the control loop until `done`, which is looked at after every turn and every few milliseconds.
  template <typename Done>
  bool run_until(Done done) {
    const SteadyTime limit = loop.now().steady + std::chrono::seconds(20);
    bool reached = false;
    std::function<void()> look = [&] {
      reached = done();
      if (reached || loop.now().steady > limit) return loop.stop();
      loop.at(loop.now().steady + Millis(2), look);
    };
    loop.post(look);
    loop.run();
    return reached;
  }
  bool run_until_word(Serial serial, const std::string& word, std::uint64_t incarnation = 1) {
    const bool came = run_until([&] { return has(serial, word, incarnation); });
    EXPECT_TRUE(came) << "service " << serial << " never told " << word << "; " << life(serial, incarnation).reason;
    return came;
  }
  bool has(Serial serial, const std::string& word, std::uint64_t incarnation = 1) {
    const auto& story = life(serial, incarnation).story;
    return std::find(story.begin(), story.end(), word) != story.end();
  }
  Life& life(Serial serial, std::uint64_t incarnation = 1) { return lives[{serial, incarnation}]; }
  const std::vector<std::string>& story(Serial serial, std::uint64_t incarnation = 1) {
    return life(serial, incarnation).story;
  }
  int start(const Launch& launch) {
    client->launch(launch);
    run_until_word(launch.serial, "started", launch.incarnation);
    return life(launch.serial, launch.incarnation).pid;
  }
  std::string log(Serial serial) const {
    const Result<std::string> logs = client->log_folder(serial);
    return logs ? LogReader(logs.value()).tail(10'000).text : "";
  }
  pid_t shim_of(int pid) const { return parent_of(pid); }
  pid_t keeper_of(int pid) const { return parent_of(parent_of(pid)); }
  // The one that works in the runtime directory; 0: none does.
  pid_t keeper() const {
    for (const ProcessLine& line : processes()) {
      std::error_code ignored;
      const auto works_in = std::filesystem::read_symlink("/proc/" + std::to_string(line.pid) + "/cwd", ignored);
      if (!works_in.empty() && works_in.parent_path() == folder) return line.pid;
    }
    return 0;
  }
  // Processes started by services of this rig.
  std::vector<pid_t> marked() const {
    const std::string mark = "AZORA_TEST_MARK=" + folder.filename().string();
    std::vector<pid_t> found;
    for (const ProcessLine& line : processes()) {
      if (text_of("/proc/" + std::to_string(line.pid) + "/environ").find(mark) != std::string::npos) found.push_back(line.pid);
    }
    return found;
  }

  void on_started(Serial serial, std::uint64_t incarnation, int pid, Now at) override {
    add(serial, incarnation, "started").pid = pid;
    life(serial, incarnation).started = at;
  }
  void on_start_failed(Serial serial, std::uint64_t incarnation, std::string reason) override {
    add(serial, incarnation, "start_failed").reason = std::move(reason);
  }
  void on_exited(Serial serial, std::uint64_t incarnation, const Exit& exit) override {
    add(serial, incarnation, "exited").exit = exit;
  }
  void on_swept(Serial serial, std::uint64_t incarnation) override { add(serial, incarnation, "swept"); }
  void on_lost(Serial serial, std::uint64_t incarnation, std::string reason) override {
    add(serial, incarnation, "lost").reason = std::move(reason);
  }
  void on_adopted(Serial serial, std::uint64_t incarnation, const Record& record) override {
    add(serial, incarnation, "adopted").record = record;
  }
  void on_unknown(const Record& record) override { unknown[record.serial] = record; }
  void on_warning(Serial serial, std::uint64_t incarnation, std::string reason) override {
    life(serial, incarnation).warning = std::move(reason);
  }
  void on_log_dropped(Serial serial, std::uint64_t lines, const LogLoss&) override { dropped[serial] = lines; }
  void on_link(bool up, std::string reason) override { links.emplace_back(up, std::move(reason)); }

  std::filesystem::path folder;  // the runtime directory is made in it
  AsioLoop loop;
  std::unique_ptr<KeeperClient> client;
  std::map<std::pair<Serial, std::uint64_t>, Life> lives;
  std::vector<std::pair<bool, std::string>> links;
  std::map<Serial, std::uint64_t> dropped;  // lines of output, as last told
  std::map<Serial, Record> unknown;         // as last told
  bool left_behind = false;                 // another rig goes on with the folder

 private:
  Life& add(Serial serial, std::uint64_t incarnation, const char* word) {
    EXPECT_TRUE(loop.on_loop_thread());
    Life& one = life(serial, incarnation);
    one.story.emplace_back(word);
    return one;
  }
};

using Story = std::vector<std::string>;

}  // namespace azora::keeper
