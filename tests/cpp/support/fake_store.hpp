#pragma once
// A store for tests and the simulation, with the guarantees of store.hpp: it keeps its rows, and its commits are prompt,
// slow, refused or never answered, as it is told. What is in image() would survive a crash of the program.
// Threads: the test's. Ownership: borrows the loop, which outlives it.
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "azora/base/loop.hpp"
#include "azora/store/store.hpp"

namespace azora::store {

class FakeStore : public Store {
 public:
  enum class Mode {
    prompt,   // committed within the call, unless an older one is under way
    slow,     // committed after delay()
    failing,  // refused after delay(): no room, or an error
    hung,     // not answered until the mode changes
  };

  explicit FakeStore(Loop& loop) : loop_(loop) {}

  // What is under way is answered in the new mode.
  void set_mode(Mode mode) {
    mode_ = mode;
    loop_.post([this] { work(); });
  }
  Mode mode() const { return mode_; }
  // Its next commits throw.
  void set_throws(bool throws) { throws_ = throws; }
  void set_delay(std::function<Nanos()> delay) { delay_ = std::move(delay); }
  void set_failure(Failure failure) { failure_ = std::move(failure); }
  // Whether a refused batch is in the image all the same: the error came after the write.
  void set_written_anyway(std::function<bool()> written) { written_anyway_ = std::move(written); }

  // Called around a commit: when it is asked for, and when its rows are in the image and that is not answered yet.
  std::function<void(const Batch&, bool written)> on_commit;
  // The program has ended in the middle of a turn: what it commits from here on is not stored, and nothing is answered.
  void cut() { cut_ = true; }

  // The program ends here. Of what is under way the first `written` batches are in the image; nothing is answered.
  void crash(std::size_t written = 0) {
    for (Queued& one : std::exchange(queue_, {})) {
      if (written-- == 0) break;
      write(one.batch);
    }
    loop_.cancel(std::exchange(timer_, 0));
    owed_.clear();
    last_ = 0;
    cut_ = false;
  }

  using Image = std::map<Key, std::string>;
  const Image& image() const { return image_; }
  void put(Row row) { image_.insert_or_assign(std::move(row.key), std::move(row.bytes)); }
  // Null: not there.
  const std::string* find(const Key& key) const {
    const auto found = image_.find(key);
    return found == image_.end() ? nullptr : &found->second;
  }
  std::size_t under_way() const { return queue_.size(); }
  // The oldest ticket that is not answered; 0: there is none.
  Ticket oldest_under_way() const { return queue_.empty() ? 0 : queue_.front().ticket; }
  // What a refused batch held and no committed one has held since.
  const std::set<Key>& owed() const { return owed_; }
  std::uint64_t commits() const { return last_; }

  void set_listener(StoreListener* listener) override { listener_ = listener; }
  Result<std::vector<Row>> load() override {
    std::vector<Row> rows;
    for (const auto& [key, bytes] : image_) rows.push_back({key, bytes});
    return rows;
  }
  Ticket commit(Batch batch) override {
    if (throws_) throw std::runtime_error("the store is broken");
    if (on_commit) on_commit(batch, false);
    if (cut_) return ++last_;
    queue_.push_back({++last_, std::move(batch)});
    if (mode_ == Mode::prompt) work();
    else if (queue_.size() == 1) arm();
    return last_;
  }
  bool keeps_rows() const override { return true; }

 private:
  struct Queued {
    Ticket ticket = 0;
    Batch batch;
  };

  void arm() {
    if (timer_ != 0 || queue_.empty() || mode_ == Mode::hung || cut_) return;
    const Nanos delay = mode_ == Mode::prompt || !delay_ ? Nanos(0) : delay_();
    timer_ = loop_.at(loop_.now().steady + delay, [this] {
      timer_ = 0;
      if (cut_) return;
      if (mode_ == Mode::failing) return fail_all();
      if (mode_ == Mode::hung) return;
      commit_first();
      work();
    });
  }
  void work() {
    while (mode_ == Mode::prompt && !queue_.empty() && timer_ == 0 && !cut_) commit_first();
    arm();
  }
  void commit_first() {
    Queued first = std::move(queue_.front());
    queue_.pop_front();
    write(first.batch);
    for_each_key(first.batch, [this](const Key& key) { owed_.erase(key); });
    if (on_commit) on_commit(first.batch, true);
    if (!cut_) listener_->on_committed(first.ticket);
  }
  void write(const Batch& batch) {
    for (const Row& row : batch.rows) image_.insert_or_assign(row.key, row.bytes);
    for (const Key& key : batch.removed) image_.erase(key);
  }
  template <typename Visit>
  static void for_each_key(const Batch& batch, const Visit& visit) {
    for (const Row& row : batch.rows) visit(row.key);
    for (const Key& key : batch.removed) visit(key);
  }
  void fail_all() {
    bool written = true;  // never one on top of a hole
    for (Queued& one : std::exchange(queue_, {})) {
      written = written_anyway_ && written_anyway_() && written;
      if (written) write(one.batch);
      for_each_key(one.batch, [this](const Key& key) { owed_.insert(key); });
      listener_->on_failed(one.ticket, failure_);
    }
  }

  Loop& loop_;
  StoreListener* listener_ = nullptr;
  Mode mode_ = Mode::prompt;
  bool throws_ = false;
  bool cut_ = false;
  std::function<Nanos()> delay_;
  std::function<bool()> written_anyway_;
  Failure failure_{.full = true, .reason = "no space left on device"};
  std::map<Key, std::string> image_;
  std::set<Key> owed_;
  std::deque<Queued> queue_;
  Ticket last_ = 0;
  TimerId timer_ = 0;
};

}  // namespace azora::store
