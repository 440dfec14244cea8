// The ledger alone: what the listener is told, and what the keeper is sent, for records in any order.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "azora/keeper/client_ledger.hpp"

namespace azora::keeper {
namespace {

class LedgerTest : public ::testing::Test {
 protected:
  static LaunchRequest request(Serial serial, std::uint64_t incarnation) {
    LaunchRequest launch{.serial = serial, .incarnation = incarnation, .id = "s"};
    launch.argv = {"true"};
    return launch;
  }
  void hear(Phase phase, std::uint64_t incarnation = 1, Serial serial = 1) {
    Record record{.serial = serial, .incarnation = incarnation, .phase = phase};
    if (phase == Phase::running || phase == Phase::exited || phase == Phase::swept) {
      record.pid = 77;
      record.started_wall_ms = 5;
    }
    if (phase == Phase::exited || phase == Phase::swept) {
      record.exit_kind = ExitKind::code;
      record.exit_value = 3;
    }
    ledger.on_record(record);
  }
  // What was told since the last time, in short words.
  std::string told() {
    constexpr const char* kWords[] = {"started", "start_failed", "exited", "swept",   "lost",   "dropped",
                                      "down",    "up",           "adopted", "unknown", "warning"};
    std::string words;
    for (const Report& report : ledger.take_reports()) {
      words += std::string(words.empty() ? "" : " ") + kWords[static_cast<std::size_t>(report.kind)];
    }
    return words;
  }
  // What the keeper is sent, in short words.
  std::string sent() {
    std::string words;
    for (auto frame = ledger.next_frame(1); !frame.empty(); frame = ledger.next_frame(1)) {
      Header header;
      EXPECT_TRUE(read_header(frame.data(), frame.size(), &header));
      words += words.empty() ? "" : " ";
      switch (header.type) {
        case FrameType::launch: words += "launch"; break;
        case FrameType::stop: words += "stop"; break;
        case FrameType::kill: words += "kill"; break;
        case FrameType::ack: words += "ack"; break;
        case FrameType::forget: words += "forget"; break;
        case FrameType::reclaim: words += "reclaim"; break;
        default: words += "?"; break;
      }
    }
    return words;
  }
  void launched() {
    ledger.launch(request(1, 1));
    EXPECT_EQ(sent(), "launch");
  }
  void new_keeper() { ledger.on_link_down(); }

  Ledger ledger;
};

// A launch that came before its shim had spoken would be refused as if the former incarnation still lived.
TEST_F(LedgerTest, ALaunchWaitsForAShimThatIsThereAndHasNotSpokenYet) {
  hear(Phase::unknown, 0);
  ledger.on_list_end();
  ledger.launch(request(1, 2));
  EXPECT_EQ(sent(), "");
  hear(Phase::swept, 1);
  EXPECT_EQ(sent(), "launch");
  hear(Phase::running, 2);
  EXPECT_EQ(told(), "started");
}

TEST_F(LedgerTest, DroppedLinesAreToldWhenTheirCountChanged) {
  launched();
  hear(Phase::running);
  EXPECT_EQ(told(), "started");
  Record record{.serial = 1, .incarnation = 1, .phase = Phase::running, .log_dropped = 9};
  record.log_loss = {.lines = 9, .goes_on = true};
  ledger.on_record(record);
  ledger.on_record(record);
  EXPECT_EQ(told(), "dropped");
  record.log_loss.goes_on = false;
  ledger.on_record(record);
  EXPECT_EQ(told(), "dropped");
}

TEST_F(LedgerTest, EverythingOnceHoweverOftenItIsSaid) {
  launched();
  hear(Phase::launching);
  EXPECT_EQ(told(), "");
  for (int i = 0; i < 3; ++i) hear(Phase::running);
  EXPECT_EQ(told(), "started");
  for (int i = 0; i < 3; ++i) hear(Phase::exited);
  EXPECT_EQ(told(), "exited");
  for (int i = 0; i < 3; ++i) hear(Phase::swept);
  EXPECT_EQ(told(), "swept");
}

TEST_F(LedgerTest, AnEndIsAcknowledgedWhenTheListenerHasMadeItDurable) {
  launched();
  ledger.acknowledge(1, 1);  // nothing has ended
  hear(Phase::swept);
  told();
  EXPECT_EQ(sent(), "");
  ledger.acknowledge(1, 2);
  EXPECT_EQ(sent(), "");
  new_keeper();
  hear(Phase::swept);  // listed again, not told again
  ledger.on_list_end();
  EXPECT_EQ(told() + sent(), "");
  ledger.acknowledge(1, 1);
  EXPECT_EQ(sent(), "ack");
  new_keeper();
  hear(Phase::swept);  // the acknowledgement died with the keeper
  ledger.on_list_end();
  EXPECT_EQ(sent(), "ack");
}

TEST_F(LedgerTest, UnknownRecordsAreReportedAndLeftAlone) {
  hear(Phase::unknown, 0);
  EXPECT_EQ(told(), "");  // its shim has not answered yet
  hear(Phase::running, 4);
  ledger.on_list_end();
  EXPECT_EQ(told(), "unknown");
  hear(Phase::swept, 4);
  EXPECT_EQ(told(), "unknown");
  EXPECT_EQ(sent(), "");
  ledger.forget(1);
  EXPECT_EQ(sent(), "forget");
  ledger.forget(1);  // it is none of those listed any more
  EXPECT_EQ(sent(), "");
}

TEST_F(LedgerTest, AnAdoptedServiceGoesOnAsALaunchedOne) {
  hear(Phase::running, 4);
  ledger.on_list_end();
  told();
  EXPECT_FALSE(ledger.has_adoption());
  ledger.adopt(1, 4, "s");
  EXPECT_EQ(told(), "adopted");
  EXPECT_FALSE(ledger.has_adoption());
  ledger.stop(1, 4, {});
  EXPECT_EQ(sent(), "stop");
  hear(Phase::swept, 4);
  EXPECT_EQ(told(), "exited swept");
  ledger.acknowledge(1, 4);
  EXPECT_EQ(sent(), "ack");
  ledger.launch(request(1, 5));
  EXPECT_EQ(sent(), "launch");
}

TEST_F(LedgerTest, AdoptionMayComeBeforeTheList) {
  ledger.adopt(1, 4, "s");
  EXPECT_TRUE(ledger.has_adoption());
  hear(Phase::unknown, 0);
  ledger.on_list_end();
  EXPECT_EQ(told() + sent(), "");  // its shim is silent: nothing is known, nothing is searched
  hear(Phase::exited, 4);
  EXPECT_EQ(told(), "adopted exited");
  EXPECT_FALSE(ledger.has_adoption());
}

TEST_F(LedgerTest, AdoptionOfWhatNoShimHoldsIsReclaimedAndLost) {
  ledger.adopt(1, 4, "s");
  ledger.on_list_end();
  EXPECT_EQ(sent(), "reclaim");
  hear(Phase::lost, 4);
  EXPECT_EQ(told(), "lost");
  ledger.adopt(2, 1, "s");
  EXPECT_EQ(sent(), "reclaim");
  new_keeper();
  ledger.on_list_end();
  EXPECT_EQ(sent(), "reclaim");
  hear(Phase::lost, 1, 2);
  EXPECT_EQ(told(), "lost");
}

TEST_F(LedgerTest, AdoptionOfAnotherIncarnationThanTheShimHolds) {
  hear(Phase::idle, 3);
  hear(Phase::swept, 3, 2);
  hear(Phase::running, 5, 3);
  hear(Phase::idle, 4, 4);
  ledger.on_list_end();
  told();
  for (Serial serial = 1; serial <= 4; ++serial) ledger.adopt(serial, 4, "s");
  EXPECT_EQ(told(), "lost lost unknown lost");  // 1, 2: never started; 3: another one runs; 4: acknowledged before
  EXPECT_FALSE(ledger.has_adoption());
  EXPECT_EQ(sent(), "");
}

TEST_F(LedgerTest, ALaunchTooLargeForTheSystemFailsInWords) {
  ledger.launch(request(1, 1));
  const std::vector<std::uint8_t> frame = ledger.next_frame(1);
  ledger.on_too_large(frame);
  const std::vector<Report> reports = ledger.take_reports();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].kind, Report::Kind::start_failed);
  EXPECT_NE(reports[0].reason.find("larger than this system allows for one message"), std::string::npos) << reports[0].reason;
  EXPECT_EQ(reports[1].kind, Report::Kind::swept);
  ledger.on_too_large(frame);
  EXPECT_EQ(told(), "");
}

TEST_F(LedgerTest, ALimitOfAddressesIsWarnedOfOnce) {
  launched();
  Record record{.serial = 1, .incarnation = 1, .phase = Phase::running, .memory_bound = MemoryBound::address_space};
  ledger.on_record(record);
  ledger.on_record(record);
  EXPECT_EQ(told(), "warning started");
}

TEST_F(LedgerTest, ARecordSaysAllThatCameBefore) {
  launched();
  hear(Phase::swept);
  EXPECT_EQ(told(), "started exited swept");
}

TEST_F(LedgerTest, RecordsOfOtherLivesAreNotTold) {
  launched();
  hear(Phase::swept);
  EXPECT_EQ(told(), "started exited swept");
  ledger.launch(request(1, 2));
  hear(Phase::swept, 1);
  hear(Phase::idle, 1);
  EXPECT_EQ(told(), "");
  EXPECT_EQ(sent(), "launch");
  hear(Phase::running, 2);
  EXPECT_EQ(told(), "started");
}

TEST_F(LedgerTest, OrderOfWhatIsOwed) {
  ledger.launch(request(1, 1));
  ledger.kill(1, 1);
  ledger.stop(1, 1, {});
  EXPECT_EQ(sent(), "launch stop kill");
}

TEST_F(LedgerTest, CommandsOfOtherLivesAreNotSent) {
  launched();
  ledger.stop(1, 2, {});
  ledger.kill(1, 0);
  ledger.kill(2, 1);
  EXPECT_EQ(sent(), "");
  hear(Phase::exited);
  ledger.stop(1, 1, {});
  EXPECT_EQ(sent(), "");
  ledger.kill(1, 1);  // its descendants
  EXPECT_EQ(sent(), "kill");
}

TEST_F(LedgerTest, LaunchThatDiedWithItsKeeperIsSaidAgain) {
  launched();
  new_keeper();
  EXPECT_EQ(sent(), "");
  ledger.on_list_end();
  EXPECT_EQ(sent(), "launch");
  hear(Phase::swept);
  EXPECT_EQ(told(), "started exited swept");
}

TEST_F(LedgerTest, LaunchThatDidNotReachItsShimIsSaidAgain) {
  launched();
  hear(Phase::swept);
  told();
  ledger.launch(request(1, 2));
  EXPECT_EQ(sent(), "launch");  // which acknowledges the end of the former
  new_keeper();
  hear(Phase::unknown, 0);
  ledger.on_list_end();
  EXPECT_EQ(sent(), "");  // the shim may be running it
  hear(Phase::swept, 1);
  EXPECT_EQ(sent(), "launch");
}

TEST_F(LedgerTest, LaunchThatReachedItsShimIsNotSaidAgain) {
  launched();
  new_keeper();
  hear(Phase::running);
  ledger.on_list_end();
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(told(), "started");
}

TEST_F(LedgerTest, WantedStaysWantedOverAKeepersDeath) {
  launched();
  hear(Phase::running);
  ledger.stop(1, 1, {});
  ledger.kill(1, 1);
  EXPECT_EQ(sent(), "stop kill");
  new_keeper();
  hear(Phase::unknown, 0);
  ledger.on_list_end();
  EXPECT_EQ(sent(), "");
  hear(Phase::running);
  EXPECT_EQ(sent(), "stop kill");
}

TEST_F(LedgerTest, EveryLaunchWaitsForASilentShim) {
  launched();
  hear(Phase::swept);
  ledger.acknowledge(1, 1);
  EXPECT_EQ(sent(), "ack");
  new_keeper();
  hear(Phase::unknown, 0);
  ledger.on_list_end();
  ledger.launch(request(1, 2));
  EXPECT_EQ(sent(), "");
  hear(Phase::idle, 1);
  EXPECT_EQ(sent(), "launch");
}

TEST_F(LedgerTest, MissingRecordIsReclaimedAndLost) {
  launched();
  hear(Phase::running);
  new_keeper();
  ledger.on_list_end();
  EXPECT_EQ(sent(), "reclaim");
  hear(Phase::lost);
  EXPECT_EQ(told(), "started lost");
  ledger.acknowledge(1, 1);
  EXPECT_EQ(sent(), "ack");
}

TEST_F(LedgerTest, ShimThatDiedSilentIsReclaimed) {
  launched();
  hear(Phase::running);
  new_keeper();
  hear(Phase::unknown, 0);
  ledger.on_list_end();
  hear(Phase::lost, 0);
  EXPECT_EQ(sent(), "reclaim");
  EXPECT_EQ(told(), "started");
  hear(Phase::lost);
  EXPECT_EQ(told(), "lost");
}

TEST_F(LedgerTest, LostBeforeItHadStarted) {
  launched();
  hear(Phase::launching);
  hear(Phase::lost);
  EXPECT_EQ(told(), "start_failed swept");
}

TEST_F(LedgerTest, LostAfterItsExitIsSwept) {
  launched();
  hear(Phase::exited);
  hear(Phase::lost);
  EXPECT_EQ(told(), "started exited swept");
}

TEST_F(LedgerTest, RefusedLaunchFailsOnceAndOnlyThatOne) {
  launched();
  ledger.on_refused({.serial = 1, .incarnation = 1, .code = RefusalCode::limit, .type = FrameType::stop}, 1);
  ledger.on_refused({.serial = 1, .incarnation = 1, .code = RefusalCode::limit, .type = FrameType::launch}, 7);
  EXPECT_EQ(told(), "");
  for (int i = 0; i < 2; ++i) {
    ledger.on_refused({.serial = 1, .incarnation = 1, .code = RefusalCode::limit, .type = FrameType::launch}, 1);
  }
  EXPECT_EQ(told(), "start_failed swept");
}

TEST_F(LedgerTest, WithoutAKeeperOnlyLaunchesThatWereNeverSentFail) {
  launched();
  EXPECT_FALSE(ledger.has_unsent_launch());
  new_keeper();
  ledger.launch(request(2, 1));
  EXPECT_TRUE(ledger.has_unsent_launch());
  ledger.fail_unsent("no keeper");
  EXPECT_FALSE(ledger.has_unsent_launch());
  EXPECT_EQ(told(), "start_failed swept");
  ledger.on_list_end();
  EXPECT_EQ(sent(), "launch");  // of the first
}

TEST_F(LedgerTest, WhatMissedItsForgettingIsReportedByTheNextKeeper) {
  launched();
  hear(Phase::swept);
  told();
  ledger.forget(1);
  new_keeper();
  EXPECT_EQ(sent(), "");
  hear(Phase::idle);
  EXPECT_EQ(told(), "unknown");
  ledger.forget(1);
  EXPECT_EQ(sent(), "forget");
  ledger.launch(request(2, 1));
  ledger.forget(2);
  EXPECT_FALSE(ledger.has_unsent_launch());
}

}  // namespace
}  // namespace azora::keeper
