// UsageReader over real processes of a real service.
#include "azora/keeper/usage.hpp"

#include "keeper/client_rig.hpp"

namespace azora::keeper {
namespace {

constexpr std::int64_t kMiB = 1024 * 1024;

TEST(KeeperUsage, GoneProcessIsNotInTheAnswer) {
  ClientRig rig;
  UsageReader reader;
  const int pid = rig.start(rig.shell(1, "exec sleep 1000"));
  EXPECT_EQ(reader.read({pid}).size(), 1U);
  rig.client->kill(1, 1);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_TRUE(reader.read({pid}).empty());
  EXPECT_TRUE(reader.read({}).empty());
}

TEST(KeeperUsage, SleeperUsesNextToNothingAndBusyOneDoesNot) {
  ClientRig rig;
  const int idle = rig.start(rig.shell(1, "exec sleep 1000"));
  const int busy = rig.start(rig.shell(2, "while :; do :; done"));
  UsageReader reader;
  reader.read({idle, busy});
  // Until the kernel has charged it something: CPU comes in ticks.
  Usage idle_use;
  Usage busy_use;
  ASSERT_TRUE(rig.run_until([&] {
    auto usage = reader.read({idle, busy});
    idle_use = usage[idle];
    busy_use = usage[busy];
    return busy_use.cpu_percent > 0;
  }));
  EXPECT_GE(idle_use.cpu_percent, 0);
  EXPECT_LT(idle_use.cpu_percent, busy_use.cpu_percent);
  EXPECT_GT(idle_use.rss_bytes, 0);
  EXPECT_LT(idle_use.rss_bytes, 100 * kMiB);
}

TEST(KeeperUsage, DescendantsInTheSessionCountAsWell) {
  ClientRig rig;
  UsageReader reader;
  // The main process waits; what it started holds 64 MiB in a shell variable.
  const std::string hold = "x=$(head -c 67108864 /dev/zero | tr '\\0' x); echo full; sleep 1000; echo $x";
  const int pid = rig.start(rig.shell(1, "(" + hold + ") & wait"));
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1) == "full\n"; }));
  EXPECT_GE(reader.read({pid})[pid].rss_bytes, 64 * kMiB);
}

TEST(KeeperUsage, CpuOfChildrenThatEndedStays) {
  ClientRig rig;
  UsageReader reader;
  const std::filesystem::path go = rig.folder / "go";
  const int pid = rig.start(rig.shell(1, "while ! test -e " + go.string() + "; do sleep 0.02; done; "
                                         "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo done; exec sleep 1000"));
  reader.read({pid});
  std::ofstream(go) << "";
  ASSERT_TRUE(rig.run_until([&] { return rig.log(1) == "done\n"; }));
  EXPECT_GT(reader.read({pid})[pid].cpu_percent, 0);
  std::filesystem::remove(go);
}

}  // namespace
}  // namespace azora::keeper
