#pragma once
// Publisher for tests and the simulation: keeps events, tiers and the newest board, and checks the order of
// a turn as they come: sequence gap-free, no eligible instance that is known dead.
// Threads: the test's.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "azora/orchestrator/publisher.hpp"

namespace azora::orchestrator {

class Recorder : public Publisher {
 public:
  struct Seen {
    std::uint64_t seq;
    EventType type;
    std::string id;
    std::uint64_t incarnation;
    std::string cause;
  };

  // The orchestrator has ended in the middle of a turn: what it says from here on is read by nobody.
  void cut() { cut_ = true; }
  // The next one says all anew. What was not published is not read any more.
  void begin_life() {
    events.resize(published);
    ids.clear();
    pool.clear();
    tiers.clear();
    board.reset();
    cut_ = false;
    ++changes;
  }

  std::uint64_t append(Event event) override {
    event.seq = ++head_;
    if (cut_) return head_;
    ++changes;
    const std::string id = event.service_id ? *event.service_id : "";
    events.push_back({event.seq, event.type, id, event.incarnation, std::string(event.cause)});
    if (on_append) on_append(events.back());
    return head_;
  }
  std::uint64_t append_check(events::Check check) override {
    if (cut_) return ++head_;
    ++changes;
    const auto name = ids.find(check.serial);
    EXPECT_NE(name, ids.end()) << "a check of serial " << check.serial << ", which has no name";
    const std::string id = name == ids.end() ? "" : *name->second;
    events.push_back({++head_, EventType::health_check, id, check.incarnation, "probe"});
    if (on_append) on_append(events.back());
    return head_;
  }
  void add_name(std::uint64_t serial, std::shared_ptr<const std::string> id) override { ids[serial] = std::move(id); }
  void drop_name(std::uint64_t serial) override { ids.erase(serial); }
  std::uint64_t head() const override { return head_; }
  void pool_put(std::uint64_t serial, const SpecPtr& spec) override { pool[serial] = spec; }
  void pool_remove(std::uint64_t serial) override {
    pool.erase(serial);
    tiers.erase(serial);
  }
  void set_standing(std::uint64_t serial, Standing standing, std::uint64_t) override {
    ++changes;
    if (pool.contains(serial)) tiers[serial] = standing.admin == Admin::active ? standing.tier : Tier::excluded;
    admins[serial] = standing.admin;
  }
  std::uint32_t leases(std::uint64_t serial) const override {
    const auto found = held.find(serial);
    return found == held.end() ? 0 : found->second;
  }
  void publish(std::shared_ptr<const Board> next) override {
    if (cut_) return;
    if (next) {
      board = std::move(next);
      ++changes;
    }
    published = events.size();
    if (on_publish) on_publish();
  }

  int count(EventType type, const std::string& id = "") const {
    return static_cast<int>(std::count_if(events.begin(), events.end(), [&](const Seen& one) {
      return one.type == type && (id.empty() || one.id == id);
    }));
  }
  // The cause of the last such event; "none": there was none.
  std::string last_cause(EventType type, const std::string& id) const {
    const auto found = std::find_if(events.rbegin(), events.rend(),
                                    [&](const Seen& one) { return one.type == type && one.id == id; });
    return found == events.rend() ? "none" : found->cause;
  }
  // Names of a service's events in order, checks left out.
  std::vector<std::string> story(const std::string& id) const {
    std::vector<std::string> names;
    for (const Seen& one : events) {
      if (one.id == id && one.type != EventType::health_check) names.emplace_back(wire_name(one.type));
    }
    return names;
  }
  ViewPtr view(const std::string& id) const {
    if (!board) return nullptr;
    const ViewPtr* found = board->by_id.find(id);
    return found == nullptr ? nullptr : *found;
  }

  std::vector<Seen> events;
  std::uint64_t changes = 0;  // of what readers may see, so far
  std::size_t published = 0;  // of them, those that readers see
  std::function<void(const Seen&)> on_append;
  std::function<void()> on_publish;
  std::map<std::uint64_t, std::shared_ptr<const std::string>> ids;  // of services that may be checked, by serial
  std::map<std::uint64_t, SpecPtr> pool;
  std::map<std::uint64_t, Tier> tiers;  // excluded also where their owners say so
  std::map<std::uint64_t, Admin> admins;
  std::map<std::uint64_t, std::uint32_t> held;  // leases, as the test says
  std::shared_ptr<const Board> board;

 private:
  std::uint64_t head_ = 0;
  bool cut_ = false;
};

}  // namespace azora::orchestrator
