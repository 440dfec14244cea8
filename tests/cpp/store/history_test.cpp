// Past events on the disk: what is written, what is found, and what becomes of it when the disk fails.
#include "azora/store/history.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "azora/model/service_name.hpp"
#include "azora/store/state_tools.hpp"
#include "store/fault_vfs.hpp"
#include "store/store_rig.hpp"
#include "support/built.hpp"

namespace azora::store {
namespace {

constexpr std::uint32_t kAll = ~std::uint32_t{0};

StoredEvent event_of(std::uint64_t seq, std::int64_t ms, EventType type = EventType::service_started,
                     const std::string& service = "web", std::string reason = {}) {
  Event event;
  event.seq = seq;
  event.time = {ms};
  event.type = type;
  event.cause = "operator";
  event.actor = "python";
  if (!service.empty()) event.service_id = std::make_shared<const std::string>(service);
  if (!reason.empty()) {
    auto detail = std::make_unique<EventDetail>();
    detail->reason = std::move(reason);
    event.detail = std::move(detail);
  }
  return std::make_shared<const Event>(std::move(event));
}

std::vector<std::uint64_t> seqs(const std::vector<PastEvent>& events) {
  std::vector<std::uint64_t> found;
  for (const PastEvent& event : events) found.push_back(event.seq);
  return found;
}

class HistoryTest : public ::testing::Test {
 protected:
  HistoryOptions options() {
    HistoryOptions made;
    made.now = [this] { return Now{SteadyTime(Nanos(steady_ns_.load())), {wall_ms_.load()}}; };
    return made;
  }
  std::string folder() const { return folder_.path().string(); }
  std::filesystem::path file() const { return folder_ / "history.db"; }
  void pass(Millis span) {
    steady_ns_ += Nanos(span).count();
    wall_ms_ += span.count();
  }
  // As az-store works: writes what waits, then tidies until nothing is left to do now.
  static void work(History& history) {
    history.write();
    for (int i = 0; i < 1'000 && history.pause() == Millis{1}; ++i) history.tidy();
  }
  static HistoryPage page_of(History& history, const HistoryQuery& query = {}) {
    Result<HistoryPage> page = history.page(query);
    EXPECT_TRUE(page.ok()) << (page.ok() ? "" : page.error().message);
    return page.ok() ? std::move(page).value() : HistoryPage{};
  }
  std::vector<std::uint64_t> kept() {
    History history(folder(), options());
    return seqs(page_of(history, {.limit = 100'000}).events);
  }
  void change(const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(file().c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }

  TempFolder folder_{memory_folder()};
  std::atomic<std::int64_t> steady_ns_{1'000'000'000'000};
  std::atomic<std::int64_t> wall_ms_{1'700'000'000'000};
};

TEST_F(HistoryTest, FindsWhatAFormerOneWrote) {
  const std::string json = event_json(*event_of(8, 1'000, EventType::service_exited, "db@3", "why"));
  {
    History history(folder(), options());
    history.add({event_of(7, 999), event_of(8, 1'000, EventType::service_exited, "db@3", "why")});
    history.note_head(9);
    history.close();
  }
  History history(folder(), options());
  EXPECT_EQ(history.former().last, 8U);
  EXPECT_EQ(history.former().head, 9U);
  EXPECT_TRUE(history.former().clean);
  EXPECT_EQ(history.through(), 8U);
  const HistoryPage page = page_of(history);
  ASSERT_EQ(seqs(page.events), (std::vector<std::uint64_t>{7, 8}));
  EXPECT_EQ(page.events[1].json, json);
  EXPECT_FALSE(page.more);
  struct stat info {};
  ASSERT_EQ(::stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(HistoryTest, SelectsByServiceEntryAndType) {
  History history(folder(), options());
  history.add({event_of(1, 1, EventType::service_started, "web@0"), event_of(2, 2, EventType::service_exited, "web@1"),
               event_of(3, 3, EventType::service_started, "webs"), event_of(4, 4, EventType::orchestrator_degraded, ""),
               event_of(5, 5, EventType::service_started, "web@1")});
  history.write();
  EXPECT_EQ(seqs(page_of(history, {.service = "web"}).events), (std::vector<std::uint64_t>{1, 2, 5}));
  EXPECT_EQ(seqs(page_of(history, {.service = "web@1"}).events), (std::vector<std::uint64_t>{2, 5}));
  const std::uint32_t exits = std::uint32_t{1} << static_cast<unsigned>(EventType::service_exited);
  EXPECT_EQ(seqs(page_of(history, {.types = exits}).events), (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(seqs(page_of(history, {.types = kAll, .service = "nobody"}).events), (std::vector<std::uint64_t>{}));
}

// Every event once and in order over pages of any size, while events are added and the clock goes back and forth.
TEST_F(HistoryTest, PagesHaveEveryEventOnce) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 60; ++round) {
    const TempFolder other(memory_folder());
    HistoryOptions made = options();
    History history(other.path().string(), made);
    std::vector<StoredEvent> all;
    std::uint64_t seq = 0;
    std::int64_t time = 1'000'000;
    const auto add = [&](std::uint64_t count) {
      std::vector<StoredEvent> turn;
      for (std::uint64_t i = 0; i < count; ++i) {
        seq += 1 + random() % 3;
        time += static_cast<std::int64_t>(random() % 100) - 20;
        turn.push_back(event_of(seq, time, random() % 2 == 0 ? EventType::service_started : EventType::service_exited,
                                random() % 2 == 0 ? "a" : "b@" + std::to_string(random() % 3)));
      }
      all.insert(all.end(), turn.begin(), turn.end());
      history.add(turn);
      history.write();
    };
    add(random() % 200);
    HistoryQuery query;
    query.limit = 1 + random() % 40;
    if (random() % 2 == 0) query.after = random() % 300;
    if (random() % 3 == 0) query.before = query.after + random() % 300;
    if (random() % 2 == 0) query.since = WallTime{1'000'000 + static_cast<std::int64_t>(random() % 6'000)};
    if (random() % 2 == 0) query.until = WallTime{1'000'000 + static_cast<std::int64_t>(random() % 12'000)};
    if (random() % 3 == 0) query.service = random() % 2 == 0 ? "b" : "b@1";
    if (random() % 3 == 0) query.types = std::uint32_t{1} << static_cast<unsigned>(EventType::service_exited);
    std::vector<std::uint64_t> found;
    HistoryQuery next = query;
    for (int pages = 0; pages < 2'000; ++pages) {
      const HistoryPage page = page_of(history, next);
      ASSERT_LE(page.events.size(), query.limit);
      for (const std::uint64_t one : seqs(page.events)) found.push_back(one);
      if (!page.more) break;
      ASSERT_GE(page.through, page.events.empty() ? next.after : page.events.back().seq);
      next.after = page.through;
      if (pages < 5) add(random() % 20);
    }
    std::vector<std::uint64_t> expected;
    for (const StoredEvent& event : all) {
      const bool in_time = (!query.since || event->time.ms >= query.since->ms) && (!query.until || event->time.ms < query.until->ms);
      const bool type = (query.types & (std::uint32_t{1} << static_cast<unsigned>(event->type))) != 0;
      const bool service = query.service.empty() || names_service(query.service, *event->service_id);
      if (event->seq > query.after && event->seq < query.before && in_time && type && service) expected.push_back(event->seq);
    }
    // What was added after the last page began is not in it.
    ASSERT_LE(found.size(), expected.size()) << round;
    expected.resize(found.size());
    ASSERT_EQ(found, expected) << round;
  }
}

TEST_F(HistoryTest, RemovesWhatIsTooOld) {
  HistoryOptions made = options();
  made.limits.max_age = Millis{10'000};
  History history(folder(), made);
  std::vector<StoredEvent> turn;
  for (std::uint64_t i = 1; i <= 2'000; ++i) turn.push_back(event_of(i, wall_ms_ - 20'000 + static_cast<std::int64_t>(i) * 10));
  history.add(turn);
  work(history);
  EXPECT_EQ(seqs(page_of(history, {.limit = 5'000}).events).front(), 1'000U);
  pass(Millis{5'000});
  history.add({event_of(2'001, wall_ms_)});
  work(history);
  EXPECT_EQ(seqs(page_of(history, {.limit = 5'000}).events).front(), 1'500U);
  history.close();
  EXPECT_EQ(History(folder(), made).former().dropped, 1'499U);
}

TEST_F(HistoryTest, StaysWithinItsBytes) {
  HistoryOptions made = options();
  made.limits.max_bytes = 1 << 20;
  History history(folder(), made);
  for (std::uint64_t turn = 0; turn < 40; ++turn) {
    std::vector<StoredEvent> events;
    for (std::uint64_t i = 0; i < 500; ++i) {
      events.push_back(event_of(1 + turn * 500 + i, wall_ms_, EventType::service_failed, "web", std::string(300, 'x')));
    }
    history.add(events);
    work(history);
    pass(History::kSync);
    history.tidy();
  }
  const std::vector<std::uint64_t> left = seqs(page_of(history, {.limit = 100'000}).events);
  EXPECT_EQ(left.back(), 20'000U);
  EXPECT_GT(left.size(), 500U);
  EXPECT_EQ(left.size(), left.back() - left.front() + 1) << "the oldest go first";
  history.close();
  EXPECT_LE(std::filesystem::file_size(file()), (1U << 20U) + (1U << 19U));
}

TEST_F(HistoryTest, NothingIsWrittenWithoutEvents) {
  History history(folder(), options());
  work(history);
  pass(History::kSync);
  history.tidy();
  const std::string before = file_bytes(file()) + file_bytes(file().string() + "-wal");
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    history.add({});
    history.note_head(i);
    work(history);
  }
  EXPECT_EQ(history.counts().commits, 0U);
  EXPECT_EQ(history.pause(), std::nullopt);
  EXPECT_EQ(file_bytes(file()) + file_bytes(file().string() + "-wal"), before);
}

TEST_F(HistoryTest, WhatWaitsIsBoundedAndItsLossIsSaid) {
  HistoryOptions made = options();
  made.most_waiting = 10;
  History history(folder(), made);
  for (std::uint64_t i = 1; i <= 25; ++i) history.add({event_of(2 * i, 1)});
  EXPECT_EQ(history.counts().dropped, 15U);
  EXPECT_EQ(history.counts().waiting, 10U);
  history.write();
  const HistoryPage page = page_of(history);
  EXPECT_EQ(page.events.size(), 10U);
  EXPECT_EQ(page.events.front().seq, 32U);
  EXPECT_EQ(page.holes, (std::vector<Hole>{{.first = 2, .last = 30, .count = 15}}));
  EXPECT_TRUE(page_of(history, {.after = 30}).holes.empty());
  history.close();
  EXPECT_EQ(History(folder(), made).former().dropped, 30U);
}

TEST_F(HistoryTest, ADamagedFileIsKeptAndANewOneBegun) {
  {
    History history(folder(), options());
    history.add({event_of(1, 1)});
    history.close();
  }
  write_bytes(file(), std::string(20'000, 'x'));
  HistoryOptions made = options();
  made.begins_after = 50;
  History history(folder(), made);
  EXPECT_EQ(history.trouble(), "");
  EXPECT_EQ(history.former().dropped, 50U);
  history.add({event_of(51, 2)});
  history.write();
  EXPECT_EQ(seqs(page_of(history).events), std::vector<std::uint64_t>{51});
  std::size_t damaged = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    if (!entry.path().filename().string().starts_with("history.db.damaged-")) continue;
    ++damaged;
    EXPECT_EQ(file_bytes(entry.path()), std::string(20'000, 'x'));
  }
  EXPECT_EQ(damaged, 1U);
}

TEST_F(HistoryTest, AFileOfANewerVersionOrAnotherProgramIsLeftAlone) {
  { History(folder(), options()).close(); }
  for (const std::string sql : {"PRAGMA user_version = 99", "PRAGMA application_id = 7"}) {
    change(sql);
    const std::string before = file_bytes(file());
    History history(folder(), options());
    EXPECT_NE(history.trouble(), "") << sql;
    history.add({event_of(1, 1)});
    history.write();
    EXPECT_EQ(history.through(), 0U) << "its events are found in the log alone";
    history.close();
    EXPECT_EQ(file_bytes(file()), before);
  }
}

TEST_F(HistoryTest, ReadsTheFileOfVersion1) {
  std::filesystem::copy_file(kHistoryV1File, file());
  History history(folder(), options());
  EXPECT_EQ(history.trouble(), "");
  const HistoryPage page = page_of(history);
  ASSERT_EQ(seqs(page.events), (std::vector<std::uint64_t>{3, 5}));
  EXPECT_EQ(page.events[1].json, event_json(*event_of(5, 1'700'000'000'123, EventType::service_failed, "db@1", "why")));
  EXPECT_EQ(page.holes, (std::vector<Hole>{{.first = 1, .last = 2, .count = 2}}));
}

// A program that ends between any two calls of the system: what write() had finished is there.
TEST_F(HistoryTest, WhatWasWrittenSurvivesTheEndOfTheProgram) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    History history(folder(), options());
    for (std::uint64_t i = 1;; ++i) {
      history.add({event_of(i, 1)});
      history.write();
      if (::write(pipe[1], &i, sizeof i) != sizeof i) ::_exit(1);
    }
  }
  std::uint64_t seen = 0;
  while (seen < 200) ASSERT_EQ(::read(pipe[0], &seen, sizeof seen), static_cast<ssize_t>(sizeof seen));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(pipe[1]);
  for (std::uint64_t one = 0; ::read(pipe[0], &one, sizeof one) == static_cast<ssize_t>(sizeof one);) seen = one;
  ::close(pipe[0]);
  const std::vector<std::uint64_t> found = kept();
  ASSERT_GE(found.size(), seen);
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], i + 1);
}

TEST_F(HistoryTest, ReadersAndTheWriterDoNotWaitForEachOther) {
  History history(folder(), options());
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::size_t last = 0;
    while (!done) {
      const std::size_t now = page_of(history, {.limit = 100'000}).events.size();
      EXPECT_GE(now, last);
      last = now;
    }
  });
  for (std::uint64_t i = 1; i <= 300; ++i) {
    history.add({event_of(i, wall_ms_)});
    work(history);
    pass(Millis{100});
    history.tidy();
  }
  done = true;
  reader.join();
  EXPECT_EQ(page_of(history, {.limit = 100'000}).events.size(), 300U);
}

class HistoryFaults : public HistoryTest {
 protected:
  HistoryOptions faulty() {
    HistoryOptions made = options();
    made.vfs = FaultVfs::name();
    return made;
  }
  // Ten turns, the clock going on so that every failure is tried again.
  void live(History& history) {
    for (std::uint64_t i = 1; i <= 10; ++i) {
      history.add({event_of(i, wall_ms_)});
      history.write();
      history.tidy();
      pass(Millis{1'100});
    }
  }

  FaultVfs vfs_{FaultVfs::Memory::shared};
};

// Each call fails in turn, once or from then on: nothing is written twice or out of order, what is lost is said, and
// with a working disk again everything that waited is stored.
TEST_F(HistoryFaults, EveryFailureIsOvercome) {
  std::int64_t calls = 0;
  {
    History history(folder(), faulty());
    live(history);
    calls = vfs_.calls();
    history.close();
  }
  ASSERT_GT(calls, 50);
  std::mt19937_64 random(3);
  for (std::int64_t at = 0; at < calls; ++at) {
    const TempFolder other(memory_folder());
    vfs_.set_plan({.at = at, .lasting = random() % 2 == 0, .full = random() % 2 == 0});
    History history(other.path().string(), faulty());
    live(history);
    vfs_.set_plan({});
    pass(Millis{2'000});
    history.add({event_of(11, wall_ms_)});
    history.write();
    const HistoryPage page = page_of(history);
    std::vector<std::uint64_t> expected;
    for (std::uint64_t i = 1; i <= 11; ++i) expected.push_back(i);
    ASSERT_EQ(seqs(page.events), expected) << "call " << at;
    ASSERT_EQ(history.trouble(), "") << "call " << at;
    history.close();
  }
}

TEST_F(HistoryFaults, AFullDiskIsNamedAndCounted) {
  HistoryOptions made = faulty();
  made.most_waiting = 4;
  History history(folder(), made);
  vfs_.set_plan({.at = 0, .lasting = true, .full = true});
  live(history);
  EXPECT_NE(history.trouble(), "");
  EXPECT_EQ(history.counts().stored, 0U);
  EXPECT_EQ(history.counts().dropped, 6U);
  vfs_.set_plan({});
  pass(Millis{1'100});
  history.add({event_of(11, wall_ms_)});
  history.write();
  const HistoryPage page = page_of(history);
  EXPECT_EQ(seqs(page.events), (std::vector<std::uint64_t>{8, 9, 10, 11}));
  EXPECT_EQ(page.holes, (std::vector<Hole>{{.first = 1, .last = 7, .count = 7}}));
}

// The power fails before any call: what is left can be read, is in order, and lacks nothing that was synced.
TEST_F(HistoryFaults, APowerCutLeavesAnOrderlyFile) {
  struct Moment {
    DiskImage image;
    std::uint64_t synced;
  };
  std::vector<Moment> moments;
  std::mt19937_64 random(9);
  std::uint64_t synced = 0;
  {
    History history(folder(), faulty());
    vfs_.set_before_call([&] {
      if (random() % 4 == 0) moments.push_back({vfs_.cut_power(folder_.path(), 0.5, random), synced});
    });
    for (std::uint64_t i = 1; i <= 12; ++i) {
      history.add({event_of(i, wall_ms_)});
      history.write();
      pass(Millis{600});
      history.tidy();
      if (!history.pause()) synced = i;
    }
    vfs_.set_before_call(nullptr);
    history.close();
  }
  ASSERT_GT(moments.size(), 30U);
  ASSERT_GT(synced, 8U);
  for (const Moment& moment : moments) {
    const TempFolder other(memory_folder());
    write_image(moment.image, other.path());
    History history(other.path().string(), options());
    ASSERT_EQ(history.trouble(), "");
    const std::vector<std::uint64_t> found = seqs(page_of(history).events);
    ASSERT_GE(found.size(), moment.synced);
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], i + 1);
  }
}

// The store commits records whatever becomes of the history.
TEST_F(HistoryTest, RecordsDoNotDependOnTheHistory) {
  std::filesystem::create_directory(folder_ / "state");
  ::chmod((folder_ / "state").c_str(), 0700);
  std::filesystem::create_directory(folder_ / "state" / "history.db");  // nothing can be opened there
  SqliteRig rig(folder_ / "state");
  ASSERT_EQ(rig.open(), "");
  rig.store().keep_history(options());
  EXPECT_NE(rig.store().history()->trouble(), "");
  rig.store().add_events({event_of(1, 1)}, 1);
  EXPECT_TRUE(rig.commit({.rows = {{{Table::heads, ""}, "x"}}, .removed = {}}));
}

// A turn's events are there when its rows are acknowledged.
TEST_F(HistoryTest, EventsAreWrittenBeforeTheRowsOfTheirTurn) {
  SqliteRig rig(folder_ / "state");
  ASSERT_EQ(rig.open(), "");
  rig.store().keep_history(options());
  for (std::uint64_t i = 1; i <= 50; ++i) {
    rig.store().add_events({event_of(i, 1)}, i);
    ASSERT_TRUE(rig.commit({.rows = {{{Table::services, std::to_string(i)}, "x"}}, .removed = {}}));
    ASSERT_EQ(rig.store().history()->through(), i);
  }
}

TEST_F(HistoryTest, CheckAndRepairSpeakOfItAlone) {
  {
    SqliteRig rig(folder_ / "state");
    ASSERT_EQ(rig.open(), "");
    rig.store().keep_history(options());
    rig.store().add_events({event_of(1, 1)}, 1);
    ASSERT_TRUE(rig.commit({.rows = {}, .removed = {}}));
  }
  const std::filesystem::path state = folder_ / "state";
  EXPECT_TRUE(check_state(state, {}).value().empty());
  const std::string records = file_bytes(state / "state.db");
  write_bytes(state / "history.db", std::string(9'000, 'y'));
  const std::vector<Finding> found = check_state(state, {}).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(words_of(found.front()).find("history.db: "), std::string::npos);
  const Repair repair = repair_state(state, {1'700'000'000'000}).value();
  EXPECT_EQ(repair.findings.size(), 1U);
  ASSERT_EQ(repair.kept.size(), 1U);
  EXPECT_EQ(file_bytes(repair.kept.front()), std::string(9'000, 'y'));
  EXPECT_FALSE(std::filesystem::exists(state / "history.db"));
  EXPECT_EQ(file_bytes(state / "state.db"), records);
  EXPECT_TRUE(check_state(state, {}).value().empty());
}

}  // namespace
}  // namespace azora::store
