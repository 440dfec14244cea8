// What a service is given: environment, user, folders, limits; as values, and as a real service sees it.
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "azora/keeper/environment.hpp"
#include "azora/keeper/launch_hash.hpp"
#include "keeper/client_rig.hpp"

namespace azora::keeper {
namespace {

using Texts = std::vector<std::string>;

OwnWorld small_world() {
  OwnWorld world;
  world.environment = {{"PATH", "/bin"},          {"HOME", "/home/me"}, {"LC_ALL", "C.UTF-8"},
                       {"XDG_RUNTIME_DIR", "/r"}, {"SECRET", "x"},      {"PYTHONPATH", "/p"}};
  world.folder = "/work";
  return world;
}

Launch launch_of(LaunchSpec spec) {
  spec.argv = {"true"};
  return {.serial = 4, .incarnation = 9, .id = "orders", .port = 7001, .spec = std::move(spec)};
}

LaunchRequest resolved(const Launch& launch, const OwnWorld& world = small_world()) {
  Result<std::optional<Account>> account = std::optional<Account>();
  if (!launch.spec.user.empty()) account = look_up_account(launch.spec.user, world.uid);
  EXPECT_TRUE(account.ok()) << (account ? "" : account.error().message);
  Result<LaunchRequest> request = resolve(launch, world, account ? account.value() : std::nullopt, "fleet-1", 031);
  EXPECT_TRUE(request.ok()) << (request ? "" : request.error().message);
  return request ? std::move(request).value() : LaunchRequest{};
}

TEST(KeeperEnvironment, PassesOnWhatProgramsExpectAndNothingElse) {
  const LaunchRequest request = resolved(launch_of({}));
  EXPECT_EQ(request.env_before, (Texts{"HOME=/home/me", "LC_ALL=C.UTF-8", "PATH=/bin", "XDG_RUNTIME_DIR=/r"}));
  EXPECT_EQ(request.env_after, (Texts{"AZORA_ID=orders", "AZORA_FLEET=fleet-1", "AZORA_INCARNATION=9", "PORT=7001"}));
}

TEST(KeeperEnvironment, InheritEnvWidensIt) {
  const LaunchRequest named = resolved(launch_of({.inherit_env = {"SECRET"}}));
  EXPECT_TRUE(std::ranges::count(named.env_before, "SECRET=x"));
  EXPECT_FALSE(std::ranges::count(named.env_before, "PYTHONPATH=/p"));
  const LaunchRequest all = resolved(launch_of({.inherit_env = {"*"}}));
  EXPECT_EQ(all.env_before.size(), small_world().environment.size());
}

TEST(KeeperEnvironment, ServiceWithoutAPortHasNoPort) {
  Launch launch = launch_of({});
  launch.port = 0;
  EXPECT_EQ(resolved(launch).env_after, (Texts{"AZORA_ID=orders", "AZORA_FLEET=fleet-1", "AZORA_INCARNATION=9"}));
}

TEST(KeeperEnvironment, PathHasADefault) {
  EXPECT_EQ(resolved(launch_of({}), OwnWorld{.folder = "/"}).env_before, Texts{"PATH=/usr/local/bin:/usr/bin:/bin"});
}

TEST(KeeperEnvironment, FoldersAreAbsolute) {
  EXPECT_EQ(resolved(launch_of({})).cwd, "/work");
  const LaunchRequest request = resolved(launch_of({.cwd = "sub", .env_file = ".env"}));
  EXPECT_EQ(request.cwd, "/work/sub");
  EXPECT_EQ(request.env_file, "/work/.env");
  EXPECT_EQ(resolved(launch_of({.cwd = "/there"})).cwd, "/there");
}

TEST(KeeperEnvironment, LimitsByTheirNumbers) {
  const LaunchRequest request = resolved(launch_of({.rlimits = {{"core", {0, -1}}, {"nofile", {64, 128}}}}));
  ASSERT_EQ(request.limits.size(), 2U);
  EXPECT_EQ(request.limits[0].resource, static_cast<std::uint32_t>(RLIMIT_CORE));
  EXPECT_EQ(request.limits[0].soft, 0U);
  EXPECT_EQ(request.limits[0].hard, static_cast<std::uint64_t>(RLIM_INFINITY));
  EXPECT_EQ(request.limits[1].resource, static_cast<std::uint32_t>(RLIMIT_NOFILE));
  EXPECT_EQ(request.limits[1].hard, 128U);
}

TEST(KeeperEnvironment, HashIsOfWhatTakesEffectWithANewProcess) {
  const LaunchSpec spec{.argv = {"a", "b"}, .cwd = "/c", .env = {{"N", "V"}}, .user = "u"};
  const std::uint64_t hash = launch_hash(spec, 1);
  EXPECT_EQ(hash, launch_hash(LaunchSpec(spec), 1));
  EXPECT_NE(hash, launch_hash(spec, 2));
  std::vector<LaunchSpec> others(11, spec);
  others[0].argv = {"ab"};
  others[1].cwd = "/d";
  others[2].env = {{"NV", ""}};
  others[3].env_file = "/f";
  others[4].inherit_env = {"X"};
  others[5].user.clear();
  others[6].rlimits = {{"nofile", {1, 2}}};
  others[7].no_new_privs = false;
  others[8].memory_limit = 1 << 20;
  others[9].orphan_timeout = Millis(0);
  others[10].umask = 022;
  for (const LaunchSpec& other : others) EXPECT_NE(launch_hash(other, 1), hash) << &other - others.data();
  LaunchSpec live = spec;
  live.stop_signal = 2;
  live.stop_timeout = Millis(1);
  live.stop_mode = StopMode::tree;
  live.log.files = 9;
  EXPECT_EQ(launch_hash(live, 1), hash);
}

TEST(KeeperEnvironment, Rule53AServiceIsStoppedAsItsConfigurationSays) {
  const LaunchRequest unset = resolved(launch_of({}));
  EXPECT_EQ(unset.stop, (StopOrder{.signal = 15, .timeout_ms = 10'000, .tree = false}));
  EXPECT_EQ(unset.orphan_timeout_ms, 2'000U);
  const LaunchRequest set = resolved(launch_of({.stop_signal = 2,
                                                .stop_timeout = Millis(70),
                                                .stop_mode = StopMode::tree,
                                                .orphan_timeout = Millis(std::int64_t{1} << 40)}));
  EXPECT_EQ(set.stop, (StopOrder{.signal = 2, .timeout_ms = 70, .tree = true}));
  EXPECT_EQ(set.orphan_timeout_ms, 2'147'483'647U);
}

TEST(KeeperEnvironment, Rule56ServiceHasOurUmaskUnlessItSetsItsOwn) {
  EXPECT_EQ(resolved(launch_of({})).umask, 031U);
  EXPECT_EQ(resolved(launch_of({.umask = 0})).umask, 0U);
  const mode_t before = ::umask(0123);
  EXPECT_EQ(own_umask(), 0123U);
  ::umask(before);
  EXPECT_EQ(own_umask(), before);
}

TEST(KeeperEnvironment, UserBringsItsOwnNamesAndGroups) {
  const passwd* daemon = ::getpwnam("daemon");
  ASSERT_NE(daemon, nullptr);
  for (const std::string& user : {std::string("daemon"), std::to_string(daemon->pw_uid)}) {
    const LaunchRequest request = resolved(launch_of({.user = user}));
    EXPECT_TRUE(request.switch_user);
    EXPECT_EQ(request.uid, daemon->pw_uid);
    EXPECT_EQ(request.gid, daemon->pw_gid);
    EXPECT_TRUE(std::ranges::count(request.groups, daemon->pw_gid));
    EXPECT_TRUE(std::ranges::count(request.env_before, std::string("HOME=") + daemon->pw_dir));
    EXPECT_TRUE(std::ranges::count(request.env_before, "USER=daemon"));
    EXPECT_FALSE(std::ranges::count(request.env_before, "XDG_RUNTIME_DIR=/r"));
  }
}

TEST(KeeperEnvironment, UserThatIsUsNeedsNoRight) {
  OwnWorld world = small_world();
  world.uid = ::getpwnam("daemon")->pw_uid;
  EXPECT_FALSE(resolved(launch_of({.user = "daemon"}), world).switch_user);
  const Result<std::optional<Account>> other = look_up_account("root", world.uid);
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().faults[0].field, "process.user");
  EXPECT_NE(other.error().message.find("only root may"), std::string::npos);
}

TEST(KeeperEnvironment, UnknownUserIsAFault) {
  for (const char* user : {"no-such-user", "4000000000", "99999999999999"}) {
    const Result<std::optional<Account>> account = look_up_account(user, 0);
    ASSERT_FALSE(account.ok());
    EXPECT_NE(account.error().message.find(std::string("process.user: is \"") + user + "\""), std::string::npos);
  }
}

TEST(KeeperEnvironment, RealServiceSeesIt) {
  ASSERT_EQ(::setenv("AZORA_TEST_HIDDEN", "1", 1), 0);
  ClientRig rig;
  Launch launch = rig.shell(1, "env; echo limit=$(ulimit -n); echo cwd=$(pwd)");
  launch.port = 4711;
  launch.spec.env.emplace_back("WHO", "env");
  launch.spec.env_file = rig.folder / "env";
  std::ofstream(launch.spec.env_file) << "WHO=file\nexport FILE_ONLY='a b'\nPORT=1\n";
  launch.spec.cwd = "/usr";
  launch.spec.rlimits["nofile"] = {77, 99};
  rig.client->launch(launch);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  const std::string log = "\n" + rig.log(1);
  for (const char* line : {"WHO=env", "FILE_ONLY=a b", "PORT=4711", "AZORA_ID=s1", "AZORA_INCARNATION=1", "limit=77", "cwd=/usr"}) {
    EXPECT_NE(log.find("\n" + std::string(line) + "\n"), std::string::npos) << line << " in" << log;
  }
  EXPECT_EQ(log.find("AZORA_TEST_HIDDEN"), std::string::npos);
  std::filesystem::remove(launch.spec.env_file);
  ::unsetenv("AZORA_TEST_HIDDEN");
}

TEST(KeeperEnvironment, RealServiceRunsAsItsUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can start services as others";
  ClientRig rig;
  Launch launch = rig.shell(1, "id -un; id -gn");
  launch.spec.user = "daemon";
  launch.spec.cwd = "/";
  rig.client->launch(launch);
  ASSERT_TRUE(rig.run_until_word(1, "swept"));
  EXPECT_EQ(rig.log(1), "daemon\ndaemon\n") << rig.life(1).reason;
}

}  // namespace
}  // namespace azora::keeper
