// Start slots and kill permits with their timers.
#include "azora/orchestrator/admission.hpp"

#include <gtest/gtest.h>

#include "support/fake_loop.hpp"

namespace azora::orchestrator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Serials = std::vector<std::uint64_t>;

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    loop.set_turn_end([this] { turn_end(); });
  }
  void turn_end() {
    const auto into = [](Serials& list) {
      return [&list](std::uint64_t serial) {
        list.push_back(serial);
        return true;
      };
    };
    admission.grant_permits(loop.now().steady, into(permitted));
    admission.admit(loop.now().steady, into(admitted));
  }
  void enter(std::uint64_t serial, int rank = 0) { admission.enter(serial, rank, 5, loop.now().steady); }

  FakeLoop loop;
  Serials admitted;
  Serials permitted;
  Serials expired;
  Admission admission{loop, 2, 0, [this](std::uint64_t serial) { expired.push_back(serial); }};
};

TEST_F(AdmissionTest, AdmitsAsManyAsThereAreSlotsLowestRankFirst) {
  enter(1, 2);
  enter(2, 0);
  enter(3, 1);
  turn_end();
  EXPECT_EQ(admitted, (Serials{2, 3}));
  admission.release(2);
  turn_end();
  EXPECT_EQ(admitted, (Serials{2, 3, 1}));
}

TEST_F(AdmissionTest, ASlotIsHeldForFiveSecondsAtMost) {
  enter(1);
  turn_end();
  loop.advance(milliseconds(4'999));
  EXPECT_TRUE(expired.empty());
  loop.advance(milliseconds(1));
  EXPECT_EQ(expired, Serials{1});
}

TEST_F(AdmissionTest, AReleasedSlotDoesNotExpire) {
  enter(1);
  turn_end();
  admission.release(1);
  loop.advance(seconds(10));
  EXPECT_TRUE(expired.empty());
  EXPECT_EQ(loop.timer_count(), 0U);
}

TEST_F(AdmissionTest, TheRateAdmitsTheNextByItself) {
  Admission slow(loop, 0, 1, [](std::uint64_t) {});
  Serials started;
  const auto granted = [&](std::uint64_t serial) {
    started.push_back(serial);
    return true;
  };
  loop.set_turn_end([&] { slow.admit(loop.now().steady, granted); });
  slow.enter(1, 0, 5, loop.now().steady);
  slow.enter(2, 0, 5, loop.now().steady);
  loop.post([] {});
  loop.run_until_idle();
  EXPECT_EQ(started, Serials{1});
  loop.advance(seconds(1));
  EXPECT_EQ(started, (Serials{1, 2}));
}

TEST_F(AdmissionTest, OneThatIsGoneGivesItsSlotBack) {
  enter(1);
  enter(2);
  enter(3);
  Serials asked;
  admission.admit(loop.now().steady, [&](std::uint64_t serial) {
    asked.push_back(serial);
    return serial == 3;
  });
  EXPECT_EQ(asked, (Serials{1, 2, 3}));
}

TEST_F(AdmissionTest, OneOfAPairIsPermittedAndTheOtherWhenThatOneIsBack) {
  admission.join(1, "g", Millis(1'000));
  admission.join(2, "g", Millis(1'000));
  admission.ask_permit(1);
  admission.ask_permit(2);
  turn_end();
  EXPECT_EQ(permitted, Serials{1});
  admission.drop_permit(1);
  turn_end();
  EXPECT_EQ(permitted, (Serials{1, 2}));
}

TEST_F(AdmissionTest, ARefusedKillAsksAgainEverySecond) {
  for (const std::uint64_t serial : {1, 2, 3, 4}) {
    admission.join(serial, "", Millis(1'000));
  }
  for (const std::uint64_t serial : {1, 2, 3}) {
    (void)admission.turned_bad(serial, loop.now().steady);
  }
  admission.ask_permit(1);
  turn_end();
  EXPECT_TRUE(permitted.empty());  // the mass brake holds it
  loop.advance(seconds(60));
  EXPECT_EQ(permitted, Serials{1});
}

TEST_F(AdmissionTest, OneThatQuitsIsNotPermitted) {
  admission.join(1, "", Millis(1'000));
  admission.ask_permit(1);
  admission.quit(1);
  turn_end();
  EXPECT_TRUE(permitted.empty());
}

}  // namespace
}  // namespace azora::orchestrator
