// LogFollower over files as the shim writes them, and over what others do to them meanwhile.
#include "azora/keeper/log_follower.hpp"

#include "keeper/log_folder.hpp"

namespace azora::keeper {
namespace {

using LogFollowerTest = LogFolderTest;

TEST_F(LogFollowerTest, AFollowerGivesWhatWasWrittenLastAlsoWhenTheFolderIsGone) {
  write(1, "a\nb\n");
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 1).text, "b\n");
  EXPECT_EQ(follower.next(folder).text, "");
  EXPECT_FALSE(follower.ended());
  write(1, "c\nhalf");
  std::filesystem::remove_all(folder);
  const LogPart part = follower.next(folder);
  EXPECT_EQ(part.text, "c\nhalf");
  EXPECT_FALSE(part.missed);
  EXPECT_TRUE(follower.ended());
  EXPECT_EQ(follower.next(folder).text, "");
}

TEST_F(LogFollowerTest, AFollowerFinishesAFileThatRotationRemoved) {
  write(1, "a\n");
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 0).text, "");
  write(1, "b\n");
  write(2, "c\n");
  std::filesystem::remove(folder / "log.1");
  const LogPart part = follower.next(folder);
  EXPECT_EQ(part.text, "b\nc\n");
  EXPECT_FALSE(part.missed);
  EXPECT_FALSE(follower.ended());
}

TEST_F(LogFollowerTest, R59FilesThatCameAndWentBetweenTwoLooksAreSaid) {
  write(1, "a\n");
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 9).text, "a\n");
  write(1, "b\n");
  std::filesystem::permissions(folder / "log.1", std::filesystem::perms::sticky_bit, std::filesystem::perm_options::add);
  std::filesystem::remove_all(folder);
  const LogPart part = follower.next(folder);
  EXPECT_EQ(part.text, "b\n");
  EXPECT_FALSE(part.missed);
  EXPECT_TRUE(part.missed_after);
  EXPECT_TRUE(follower.ended());
  EXPECT_FALSE(follower.next(folder).missed_after);
}

TEST_F(LogFollowerTest, R59FilesThatWereHeldAreGivenAfterTheyHaveGone) {
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 9).text, "");
  write(1, "a\n");
  write(2, "b\ncut ");
  follower.hold_new(folder);  // before anything was read
  std::filesystem::remove(folder / "log.1");
  std::filesystem::remove(folder / "log.2");
  write(3, "line\nc\n");
  write(4, "d\n");
  follower.hold_new(folder);
  std::filesystem::remove(folder / "log.3");
  LogPart part = follower.next(folder);
  EXPECT_EQ(part.text, "a\nb\ncut line\nc\nd\n");
  EXPECT_FALSE(part.missed);
  write(5, "e\n");
  follower.hold_new(folder);
  write(6, "f\n");
  write(7, "g\n");
  std::filesystem::remove_all(folder);  // 6 and 7 were never seen
  part = follower.next(folder);
  EXPECT_EQ(part.text, "e\n");
  EXPECT_FALSE(part.missed);
  EXPECT_TRUE(follower.ended());
}

TEST_F(LogFollowerTest, R59AHoleBetweenHeldFilesIsSaidAtItsPlace) {
  write(1, "a\n");
  LogFollower follower;
  follower.begin(folder, 0);
  write(1, "b\n");
  write(3, "c\n");
  follower.hold_new(folder);
  write(5, "d\n");
  std::filesystem::remove(folder / "log.1");
  std::filesystem::remove(folder / "log.3");
  LogPart part = follower.next(folder);
  EXPECT_EQ(part.text, "b\n");
  EXPECT_FALSE(part.missed);
  part = follower.next(folder);
  EXPECT_EQ(part.text, "c\n");
  EXPECT_TRUE(part.missed);
  part = follower.next(folder);
  EXPECT_EQ(part.text, "d\n");
  EXPECT_TRUE(part.missed);
  EXPECT_FALSE(follower.next(folder).missed);
}

TEST_F(LogFollowerTest, R59NotMoreThanSomeFilesAreHeld) {
  write(1, "1\n");
  LogFollower follower;
  follower.begin(folder, 0);
  const std::size_t most = LogFollower::kMostHeld;
  for (std::uint64_t number = 2; number <= most + 1; ++number) {
    write(static_cast<int>(number), std::to_string(number) + "\n");
    follower.hold_new(folder);
  }
  std::filesystem::remove_all(folder);
  const LogPart part = follower.next(folder);
  EXPECT_TRUE(part.text.ends_with("\n" + std::to_string(most) + "\n")) << part.text;
  EXPECT_TRUE(follower.ended());
}

TEST_F(LogFollowerTest, R59WhatFollowsAFullFileAndWasReadIsNotMissed) {
  write(1, "a\n");
  LogFollower follower;
  follower.begin(folder, 9);
  std::filesystem::permissions(folder / "log.1", std::filesystem::perms::sticky_bit, std::filesystem::perm_options::add);
  write(2, "b\n");
  EXPECT_EQ(follower.next(folder).text, "b\n");
  write(2, "c\n");
  std::filesystem::remove_all(folder);
  const LogPart part = follower.next(folder);
  EXPECT_EQ(part.text, "c\n");
  EXPECT_FALSE(part.missed || part.missed_after);
}

TEST_F(LogFollowerTest, AFollowerMayComeBeforeTheFolder) {
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder / "later", 10).text, "");
  EXPECT_EQ(follower.next(folder / "later").text, "");
  EXPECT_TRUE(follower.ended());
  write(1, "a\n");
  EXPECT_EQ(follower.next(folder).text, "a\n");
  EXPECT_FALSE(follower.ended());
}

TEST_F(LogFollowerTest, R59AnUnfinishedLineIsGivenOnceInSilenceAndWholeWhenItIsFinished) {
  write(1, "a\n");
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 9).text, "a\n");
  write(1, "Password: ");
  EXPECT_EQ(follower.next(folder).unfinished, "");  // it may be about to be finished
  EXPECT_EQ(follower.next(folder).unfinished, "Password: ");
  EXPECT_EQ(follower.next(folder).unfinished, "");
  write(1, "****");
  EXPECT_EQ(follower.next(folder).unfinished, "");
  EXPECT_EQ(follower.next(folder).unfinished, "Password: ****");
  write(1, "\n");
  EXPECT_EQ(follower.next(folder).text, "Password: ****\n");
  write(1, "Password: ****");  // the same again is another one
  follower.next(folder);
  EXPECT_EQ(follower.next(folder).unfinished, "Password: ****");
}

TEST_F(LogFollowerTest, R59TheUnfinishedLineIsOneOfTheLastOnes) {
  write(1, "a\nb\nhalf");
  LogFollower follower;
  const LogPart part = follower.begin(folder, 2);
  EXPECT_EQ(part.text, "b\n");
  EXPECT_EQ(part.unfinished, "half");
  follower.next(folder);
  EXPECT_EQ(follower.next(folder).unfinished, "");  // it was given
  LogFollower without;
  EXPECT_EQ(without.begin(folder, 0).unfinished, "");
  without.next(folder);
  EXPECT_EQ(without.next(folder).unfinished, "");
  write(1, " a line\n");
  EXPECT_EQ(follower.next(folder).text, "half a line\n");
  EXPECT_EQ(without.next(folder).text, "half a line\n");
}

TEST_F(LogFollowerTest, R59AnUnfinishedLineThatWentToTheNextFileIsGivenWholeOnce) {
  write(1, "a\nhalf");
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 9).unfinished, "half");
  std::filesystem::resize_file(folder / "log.1", 2);  // as the shim does it
  write(2, "half a line\n");
  EXPECT_EQ(follower.next(folder).text, "half a line\n");
}

TEST_F(LogFollowerTest, R59AFileThatWasRemovedAndMadeAnewIsFollowed) {
  write(1, "a\nb\n");
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 1).text, "b\n");
  write(1, "c\nhalf");
  std::filesystem::remove(folder / "log.1");
  EXPECT_EQ(follower.next(folder).text, "c\n");
  write(1, "half a line\nd\n");
  const LogPart part = follower.next(folder);
  EXPECT_EQ(part.text, "half a line\nd\n");
  EXPECT_FALSE(part.missed);
  write(1, "e\n");
  EXPECT_EQ(follower.next(folder).text, "e\n");
}

TEST_F(LogFollowerTest, R59AFileThatWasMovedAwayAndMadeAnewBetweenTwoLooksIsFollowed) {
  write(1, "a\n");
  LogFollower follower;
  EXPECT_EQ(follower.begin(folder, 1).text, "a\n");
  write(1, "b\n");
  std::filesystem::rename(folder / "log.1", folder / "mine");
  write(1, "c\n");
  EXPECT_EQ(follower.next(folder).text, "b\nc\n");
  EXPECT_EQ(follower.next(folder).text, "");
}

TEST_F(LogFollowerTest, APieceOfACutLineThatRotationRemovedIsGiven) {
  write(1, "a\n");
  LogFollower follower;
  follower.begin(folder, 1);
  write(1, "xxxx");
  write(2, "yyyy\n");
  std::filesystem::remove(folder / "log.1");
  EXPECT_EQ(follower.next(folder).text, "xxxxyyyy\n");
}

TEST_F(LogFollowerTest, TheIndexOfARemovedFileIsStillRead) {
  write(1, "a\n");
  mark(1, {LogMark::make(MarkKind::time, 0, 1000)});
  LogFollower follower(true);
  EXPECT_EQ(follower.begin(folder, 1).text, "1970-01-01T00:00:01.000Z a\n");
  write(1, "b\n");
  mark(1, {LogMark::make(MarkKind::time, 2, 2000)});
  std::filesystem::remove(folder / "log.1");
  std::filesystem::remove(folder / "log.1.times");
  EXPECT_EQ(follower.next(folder).text, "1970-01-01T00:00:02.000Z b\n");
}

}  // namespace
}  // namespace azora::keeper
