// When figures of processes are read: only where there are processes.
#include "azora/orchestrator/usage_sampler.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "azora/model/spec_parser.hpp"
#include "support/signal_process.hpp"

namespace azora::orchestrator {
namespace {

// A process with a session of its own, as a service's main process has.
class Leader {
 public:
  Leader() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid = ::fork();
    if (pid == 0) {
      ::setsid();
      [[maybe_unused]] const ssize_t wrote = ::write(ends[1], "", 1);
      for (;;) ::pause();
    }
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Leader() {
    signal_process(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  Leader(const Leader&) = delete;
  Leader& operator=(const Leader&) = delete;

  pid_t pid = 0;
};

class UsageSamplerTest : public testing::Test {
 protected:
  UsageSamplerTest() {
    Result<std::vector<SpecPtr>> specs =
        parse_service(R"({"id":"a","type":"core","process":{"argv":["true"]},"healthCheck":{"type":"process"}})",
                      {.origin = Origin::python});
    EXPECT_TRUE(specs.ok());
    auto view = std::make_shared<ServiceView>();
    view->spec = specs.value().front();
    view->process = ProcessView{.pid = leader.pid};
    auto edit = board->in_order.edit();
    edit.set(0, view);
    board->in_order = edit.done();
  }
  // One reader, and what follows from it at once.
  void look() {
    sampler.looked();
    loop.post([this] { loop.stop(); });
    loop.run();
  }

  Leader leader;
  AsioLoop loop;
  std::shared_ptr<Board> board = std::make_shared<Board>();
  int reports = 0;
  int walks = 0;
  UsageSampler sampler{loop,
                       [this] {
                         ++walks;
                         return std::shared_ptr<const Board>(board);
                       },
                       [this](const UsageReport&) { ++reports; }};
};

TEST_F(UsageSamplerTest, ReadsWhereAProcessMayExist) {
  board->alive = 1;
  look();
  EXPECT_EQ(reports, 1);
}

TEST_F(UsageSamplerTest, ReadsNothingWhereNoneCan) {
  board->alive = 0;
  look();
  look();
  EXPECT_EQ(reports, 0);
  EXPECT_EQ(walks, 2) << "the number is asked for, nothing else";
  board->alive = 1;
  look();
  EXPECT_EQ(reports, 1) << "it begins again with the first process";
}

}  // namespace
}  // namespace azora::orchestrator
