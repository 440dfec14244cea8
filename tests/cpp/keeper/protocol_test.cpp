// Frames: what was written is read, and no bytes make a reader leave its frame.
#include "azora/keeper/protocol.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "azora/keeper/frame_fields.hpp"
#include "azora/keeper/launch_frame.hpp"

namespace azora::keeper {
namespace {

using Bytes = std::vector<std::uint8_t>;

Record full_record() {
  return Record{.serial = 7,
                .incarnation = 3,
                .phase = Phase::exited,
                .in_cgroup = true,
                .pid = 4711,
                .start_ticks = 123456789,
                .output_pipe = 42,
                .started_steady_ns = -1,
                .started_wall_ms = 1'700'000'000'000,
                .exit_kind = ExitKind::signal,
                .exit_value = 9,
                .oom = Oom::yes,
                .exited_wall_ms = 1'700'000'000'001,
                .failed_step = SpawnStep::rlimit,
                .failed_error = 1,
                .failed_detail = 7,
                .log_dropped = std::uint64_t{1} << 40,
                .log_loss = {.lines = 3, .bytes = 40, .since_wall_ms = 1'700'000'000'002, .error = 28, .goes_on = true},
                .id = "orders@1",
                .spec_hash = 0x1234567890abcdef,
                .stop_asked = true,
                .memory_bound = MemoryBound::address_space,
                .left_pid = 4711};
}

Bytes record_frame(const Record& record) {
  Bytes frame(kMaxSmallFrame);
  frame.resize(write_record(frame.data(), frame.size(), type_of(record.phase), record, 11, 22));
  return frame;
}

LaunchRequest full_launch() {
  LaunchRequest launch;
  launch.serial = 5;
  launch.incarnation = 2;
  launch.id = "orders@1";
  launch.spec_hash = 77;
  launch.memory_limit = 1 << 20;
  launch.argv = {"python3", "-c", ""};
  launch.env_before = {"A=1", "B="};
  launch.env_after = {"PORT=7001"};
  launch.env_file = "/etc/env";
  launch.env_expand = true;
  launch.cwd = "/srv";
  launch.switch_user = true;
  launch.uid = 1000;
  launch.gid = 1001;
  launch.groups = {1001, 5};
  launch.stop = {.signal = 2, .timeout_ms = 1234, .tree = true};
  launch.orphan_timeout_ms = 4321;
  launch.log_max_bytes = 99;
  launch.log_files = 3;
  launch.umask = 022;
  launch.no_new_privs = false;
  launch.limits = {{7, 64, ~std::uint64_t{0}}};
  return launch;
}

std::vector<std::string> texts(TextList list) {
  std::vector<std::string> result;
  TextWalk walk(list);
  Text text;
  while (walk.next(&text)) {
    EXPECT_EQ(std::strlen(text.data), text.size);
    result.emplace_back(text.data, text.size);
  }
  return result;
}

TEST(Protocol, ARecordIsReadAsItWasWritten) {
  const Record record = full_record();
  const Bytes frame = record_frame(record);
  Header header;
  ASSERT_TRUE(read_header(frame.data(), frame.size(), &header));
  EXPECT_EQ(header.type, FrameType::exited);
  EXPECT_EQ(header.request, 11U);
  EXPECT_EQ(header.epoch, 22U);
  Record read;
  ASSERT_TRUE(read_record(frame.data(), frame.size(), &read));
  // Written again, all fields must give the same bytes.
  EXPECT_EQ(record_frame(read), frame);
  EXPECT_EQ(read.log_dropped, record.log_dropped);
  EXPECT_EQ(read.log_loss, record.log_loss);
  EXPECT_EQ(read.started_steady_ns, -1);
  EXPECT_STREQ(read.id, "orders@1");
  EXPECT_EQ(read.spec_hash, record.spec_hash);
  EXPECT_TRUE(read.stop_asked);
  EXPECT_EQ(read.memory_bound, MemoryBound::address_space);
  EXPECT_EQ(read.left_pid, 4711);
}

TEST(Protocol, ALaunchIsReadAsItWasWritten) {
  const LaunchRequest launch = full_launch();
  const Bytes frame = launch_frame(launch, 1, 2);
  LaunchFrame read;
  ASSERT_TRUE(read_launch(frame.data(), frame.size(), &read));
  EXPECT_EQ(read.serial, 5U);
  EXPECT_EQ(read.incarnation, 2U);
  EXPECT_STREQ(read.id.data, "orders@1");
  EXPECT_EQ(read.spec_hash, 77U);
  EXPECT_EQ(read.memory_limit, 1U << 20);
  EXPECT_EQ(texts(read.argv), launch.argv);
  EXPECT_EQ(texts(read.env_before), launch.env_before);
  EXPECT_EQ(texts(read.env_after), launch.env_after);
  EXPECT_STREQ(read.env_file.data, "/etc/env");
  EXPECT_TRUE(read.env_expand);
  EXPECT_STREQ(read.cwd.data, "/srv");
  EXPECT_TRUE(read.switch_user);
  EXPECT_EQ(read.uid, 1000U);
  EXPECT_EQ(read.gid, 1001U);
  ASSERT_EQ(read.group_count, 2U);
  EXPECT_EQ(read.groups[0] | read.groups[1] << 8, 1001);
  EXPECT_EQ(read.stop, launch.stop);
  EXPECT_EQ(read.orphan_timeout_ms, 4321U);
  EXPECT_EQ(read.log_max_bytes, 99U);
  EXPECT_EQ(read.log_files, 3U);
  EXPECT_EQ(read.umask, 022U);
  EXPECT_FALSE(read.no_new_privs);
  ASSERT_EQ(read.limit_count, 1U);
  EXPECT_EQ(read.limits[0].resource, 7U);
  EXPECT_EQ(read.limits[0].soft, 64U);
  EXPECT_EQ(read.limits[0].hard, ~std::uint64_t{0});
}

TEST(Protocol, Rule53AStopSaysWhoGetsWhichSignalAndHowLongAllHave) {
  const StopOrder order{.signal = 3, .timeout_ms = 4'000'000'000, .tree = true};
  Bytes frame(kMaxSmallFrame);
  frame.resize(write_stop(frame.data(), frame.size(), {7, 8}, order, 1, 2));
  Header header;
  ASSERT_TRUE(read_header(frame.data(), frame.size(), &header));
  EXPECT_EQ(header.type, FrameType::stop);
  ServiceRef ref;
  StopOrder read;
  ASSERT_TRUE(read_stop(frame.data(), frame.size(), &ref, &read));
  EXPECT_EQ(ref.serial, 7U);
  EXPECT_EQ(ref.incarnation, 8U);
  EXPECT_EQ(read, order);
  EXPECT_FALSE(read_ref(frame.data(), frame.size(), &ref));
  for (const int signal : {0, -1, 65}) {
    frame.resize(kMaxSmallFrame);
    frame.resize(write_stop(frame.data(), frame.size(), {7, 8}, {.signal = signal}, 1, 2));
    EXPECT_FALSE(read_stop(frame.data(), frame.size(), &ref, &read)) << signal;
  }
}

TEST(Protocol, HelloRefAndRefusal) {
  Bytes frame(kMaxSmallFrame);
  Hello hello;
  hello.pid = 99;
  hello.build_id = {kBuildId, sizeof kBuildId - 1};
  frame.resize(write_hello(frame.data(), frame.size(), hello, 3));
  Hello hello_read;
  ASSERT_TRUE(read_hello(frame.data(), frame.size(), &hello_read));
  EXPECT_EQ(hello_read.pid, 99);
  EXPECT_STREQ(hello_read.build_id.data, kBuildId);
  EXPECT_STREQ(hello_read.boot_id.data, "");

  frame.resize(kMaxSmallFrame);
  frame.resize(write_ref(frame.data(), frame.size(), FrameType::kill, {1, 2}, 0, 0));
  ServiceRef ref;
  ASSERT_TRUE(read_ref(frame.data(), frame.size(), &ref));
  EXPECT_EQ(ref.serial, 1U);
  EXPECT_EQ(ref.incarnation, 2U);

  frame.resize(kMaxSmallFrame);
  frame.resize(write_refusal(frame.data(), frame.size(), {1, 2, RefusalCode::busy, FrameType::launch, 4}, 0, 0));
  Refusal refusal;
  ASSERT_TRUE(read_refusal(frame.data(), frame.size(), &refusal));
  EXPECT_EQ(refusal.code, RefusalCode::busy);
  EXPECT_EQ(refusal.type, FrameType::launch);
  EXPECT_EQ(refusal.detail, 4U);
}

TEST(Protocol, AFolderIsReadAsItWasWrittenUpToItsLimit) {
  Bytes frame(kMaxSmallFrame);
  const std::string folder(kMaxFolder, 'f');
  frame.resize(write_folder(frame.data(), frame.size(), {folder.c_str(), kMaxFolder}, 1));
  Text read;
  ASSERT_TRUE(read_folder(frame.data(), frame.size(), &read));
  EXPECT_EQ(std::string(read.data, read.size), folder);
  EXPECT_EQ(write_folder(frame.data(), frame.size(), {folder.c_str(), kMaxFolder + 1}, 1), 0U);
}

TEST(Protocol, PeersOfOneBootKnowEachOther) {
  Hello one, other;
  EXPECT_TRUE(is_same_boot(one, other));  // neither can say
  one.boot_id = {"1a2b", 4};
  EXPECT_TRUE(is_same_boot(one, other));
  other.boot_id = {"1a2c", 4};
  EXPECT_FALSE(is_same_boot(one, other));
  other.boot_id = {"1a2b", 4};
  EXPECT_TRUE(is_same_boot(one, other));
}

TEST(Protocol, EveryCutAndEveryExtensionIsRefused) {
  Bytes launch = launch_frame(full_launch(), 1, 2);
  Bytes record = record_frame(full_record());
  LaunchFrame launch_read;
  Record record_read;
  for (std::size_t size = 0; size < launch.size(); ++size) {
    const Bytes cut(launch.begin(), launch.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(read_launch(cut.data(), cut.size(), &launch_read)) << size;
    // Also when the header agrees with the cut.
    if (size < kHeaderSize) continue;
    Bytes honest = cut;
    for (std::size_t i = 0; i < 4; ++i) honest[i] = static_cast<std::uint8_t>(size >> (8 * i));
    EXPECT_FALSE(read_launch(honest.data(), honest.size(), &launch_read)) << size;
  }
  record.push_back(0);
  record[0] = static_cast<std::uint8_t>(record.size());
  EXPECT_FALSE(read_record(record.data(), record.size(), &record_read));
}

TEST(Protocol, EnumeratorsOutOfRangeAreRefused) {
  const Bytes good = record_frame(full_record());
  Record read;
  for (const auto& [offset, value] : {std::pair<std::size_t, std::uint8_t>{16, 8}, {17, 2}}) {  // phase, in_cgroup
    Bytes bad = good;
    bad[kHeaderSize + offset] = value;
    EXPECT_FALSE(read_record(bad.data(), bad.size(), &read)) << offset;
  }
}

TEST(Protocol, AMutatedLaunchStaysInsideItsFrame) {
  std::mt19937 random(20240229);  // any seed; the sanitizer is the judge
  const Bytes good = launch_frame(full_launch(), 1, 2);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = good;
    for (auto flips = 1 + random() % 4; flips > 0; --flips) {
      bytes[4 + random() % (bytes.size() - 4)] = static_cast<std::uint8_t>(random());
    }
    LaunchFrame read;
    if (!read_launch(bytes.data(), bytes.size(), &read)) continue;
    ++accepted;
    EXPECT_GE(texts(read.argv).size(), 1U);
    texts(read.env_before);
    texts(read.env_after);
    EXPECT_LE(read.limit_count, kMaxLimits);
    EXPECT_LE(read.group_count, kMaxGroups);
  }
  EXPECT_GT(accepted, 0);
}

TEST(Protocol, WhatDoesNotFitIsNotWritten) {
  LaunchRequest launch = full_launch();
  launch.argv.push_back(std::string(kMaxFrame, 'x'));
  EXPECT_TRUE(launch_frame(launch, 1, 1).empty());
  launch = full_launch();
  launch.limits.resize(kMaxLimits + 1);
  EXPECT_TRUE(launch_frame(launch, 1, 1).empty());
  launch = full_launch();
  launch.id = std::string(kMaxServiceId + 1, 'x');
  EXPECT_TRUE(launch_frame(launch, 1, 1).empty());
  Bytes small(kHeaderSize - 1);
  EXPECT_EQ(write_empty(small.data(), small.size(), FrameType::list, 0, 0), 0U);
}

TEST(Protocol, AnEmptyArgvOrIncarnationZeroIsNoLaunch) {
  LaunchRequest launch = full_launch();
  launch.argv.clear();
  Bytes frame = launch_frame(launch, 1, 1);
  LaunchFrame read;
  EXPECT_FALSE(read_launch(frame.data(), frame.size(), &read));
  launch = full_launch();
  launch.incarnation = 0;
  frame = launch_frame(launch, 1, 1);
  EXPECT_FALSE(read_launch(frame.data(), frame.size(), &read));
}

TEST(Protocol, PeersUseTheHighestVersionTheyShare) {
  Hello peer;
  EXPECT_EQ(common_version(peer), kNewestProtocol);
  peer.newest = kNewestProtocol + 3;
  EXPECT_EQ(common_version(peer), kNewestProtocol);
  peer.oldest = kNewestProtocol + 1;
  EXPECT_EQ(common_version(peer), 0);
}

TEST(Protocol, EveryPhaseTravelsAsARecord) {
  for (int phase = 0; phase <= static_cast<int>(Phase::unknown); ++phase) {
    EXPECT_TRUE(is_record(type_of(static_cast<Phase>(phase)))) << phase;
  }
  EXPECT_FALSE(is_record(FrameType::list_end));
  EXPECT_FALSE(is_record(FrameType::launch));
}

}  // namespace
}  // namespace azora::keeper
