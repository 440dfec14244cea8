// What is asked of a client on its way to the ledger, and what it reports, without a keeper.
#include <gtest/gtest.h>

#include <poll.h>

#include <string>
#include <vector>

#include "azora/keeper/client_commands.hpp"
#include "azora/keeper/client_inbox.hpp"
#include "azora/keeper/client_reports.hpp"

namespace azora::keeper {
namespace {

bool is_readable(const ClientInbox& inbox, int timeout_ms = 0) {
  pollfd fd{inbox.fd(), POLLIN, 0};
  return ::poll(&fd, 1, timeout_ms) == 1;
}

Launch launch_of(Serial serial, const std::string& user = "") {
  Launch launch{.serial = serial, .incarnation = 1, .id = "s", .spec = {}};
  launch.spec.argv = {"/bin/true"};
  launch.spec.user = user;
  return launch;
}

TEST(ClientInbox, HandsOutCommandsInTheirOrderAndHowToEndAgainAndAgain) {
  ClientInbox inbox;
  EXPECT_FALSE(is_readable(inbox));
  for (const Serial serial : {3u, 1u, 2u}) inbox.push(ForgetCommand{serial});
  EXPECT_TRUE(is_readable(inbox));
  inbox.hush();
  EXPECT_FALSE(is_readable(inbox));
  ClientInbox::Orders orders = inbox.take();
  std::vector<Serial> serials;
  for (const Command& command : orders.commands) serials.push_back(std::get<ForgetCommand>(command).serial);
  EXPECT_EQ(serials, (std::vector<Serial>{3, 1, 2}));
  EXPECT_EQ(orders.ending, Ending::no);
  const SteadyTime deadline{Millis(7)};
  inbox.end(Ending::stop, deadline);
  EXPECT_TRUE(is_readable(inbox));
  for (int i = 0; i < 2; ++i) {
    orders = inbox.take();
    EXPECT_TRUE(orders.commands.empty());
    EXPECT_EQ(orders.ending, Ending::stop);
    EXPECT_EQ(orders.deadline, deadline);
  }
}

TEST(ClientInbox, WakesForTheFirstCommandAfterItWasTaken) {
  ClientInbox inbox;
  inbox.push(ForgetCommand{1});
  inbox.hush();
  inbox.push(ForgetCommand{2});
  EXPECT_FALSE(is_readable(inbox)) << "whoever was woken has not taken the first one yet";
  EXPECT_EQ(inbox.take().commands.size(), 2u);
  inbox.push(ForgetCommand{3});
  EXPECT_TRUE(is_readable(inbox));
}

class ClientCommandsTest : public testing::Test {
 protected:
  // What the look-up of a user found, carried out when it is there.
  void carry_out_what_was_found() {
    ASSERT_TRUE(is_readable(*inbox, 60'000));
    inbox->hush();
    for (Command& command : inbox->take().commands) commands.carry_out(std::move(command));
  }
  // The reasons of the launches that failed since the last time.
  std::vector<std::string> failed() {
    std::vector<std::string> reasons;
    for (const Report& report : ledger.take_reports()) {
      if (report.kind == Report::Kind::start_failed) reasons.push_back(report.reason);
    }
    return reasons;
  }

  static constexpr const char* known = "someone";
  static ClientOptions options_of() {
    ClientOptions options;
    options.token = "azora-test";
    options.accounts = [](const std::string& user, uid_t) -> Result<std::optional<Account>> {
      if (user == known) return std::optional<Account>{};
      return Error{ErrorCode::invalid_spec, "there is no " + user};
    };
    return options;
  }

  const ClientOptions options = options_of();
  const OwnWorld world;
  Ledger ledger;
  const std::shared_ptr<ClientInbox> inbox = std::make_shared<ClientInbox>();
  ClientCommands commands{options, world, ledger, inbox};
};

TEST_F(ClientCommandsTest, ALaunchGoesToTheLedgerAtOnceOrWhenItsUserIsFound) {
  commands.carry_out(launch_of(1));
  EXPECT_TRUE(ledger.has_unsent_launch());
  EXPECT_FALSE(ledger.next_frame(1).empty());
  commands.carry_out(launch_of(2, known));
  EXPECT_FALSE(ledger.has_unsent_launch());
  carry_out_what_was_found();
  EXPECT_TRUE(ledger.has_unsent_launch());
  commands.carry_out(launch_of(3, "nobody-known"));
  carry_out_what_was_found();
  EXPECT_EQ(failed(), std::vector<std::string>{"there is no nobody-known"});
}

TEST_F(ClientCommandsTest, ALaunchThatIsStoppedWhileItsUserIsLookedUpFailsOnce) {
  commands.carry_out(launch_of(1, known));
  commands.carry_out(StopCommand{.serial = 1, .incarnation = 1, .order = {}});
  EXPECT_EQ(failed(), std::vector<std::string>{"it was stopped while its user was still being looked up"});
  carry_out_what_was_found();
  EXPECT_FALSE(ledger.has_unsent_launch());
  EXPECT_TRUE(failed().empty());
}

TEST_F(ClientCommandsTest, AtTheEndWhatWaitsAndWhatComesIsRefused) {
  commands.carry_out(launch_of(1));
  commands.carry_out(launch_of(2, known));
  commands.refuse_waiting();
  const std::string why = "the fleet is being stopped";
  EXPECT_EQ(failed(), (std::vector<std::string>{why, why}));
  commands.close();
  commands.carry_out(launch_of(3));
  EXPECT_EQ(failed(), std::vector<std::string>{why});
  EXPECT_FALSE(ledger.has_unsent_launch());
}

TEST(ClientReports, SayOnceThatThereIsNoKeeperAndThatThereIsOneAgain) {
  Ledger ledger;
  std::vector<Report> told;
  ClientReports reports(ledger, [&](std::vector<Report> some) {
    for (Report& one : some) told.push_back(std::move(one));
  });
  const auto kinds = [&] {
    std::vector<std::pair<Report::Kind, std::string>> all;
    for (const Report& one : std::exchange(told, {})) all.emplace_back(one.kind, one.reason);
    return all;
  };
  using Kinds = std::vector<std::pair<Report::Kind, std::string>>;
  reports.link_up();
  reports.still_down("nothing was said of its being down");
  reports.hand_over();
  EXPECT_EQ(kinds(), Kinds{});
  ledger.refuse_launch(1, 1, "why");
  reports.link_down("a");
  reports.link_down("b");
  EXPECT_EQ(kinds(), (Kinds{{Report::Kind::start_failed, "why"}, {Report::Kind::swept, ""}, {Report::Kind::link_down, "a"}}));
  reports.still_down("c");
  reports.link_up();
  reports.link_up();
  EXPECT_EQ(kinds(), (Kinds{{Report::Kind::link_down, "c"}, {Report::Kind::link_up, ""}}));
}

}  // namespace
}  // namespace azora::keeper
