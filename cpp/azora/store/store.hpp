#pragma once
// What the orchestrator needs from durable storage: rows of bytes, written in batches, read once at the beginning.
// records.hpp gives the bytes a meaning; a store never looks into them. Implemented by MemoryStore (memory_store.hpp)
// and, for tests and the simulation, by FakeStore (tests/cpp/support), whose commits are slow, fail or never come.
//
// A commit is atomic and is answered once: committed (all of it survives a crash of the program and of the machine)
// or failed (perhaps none, perhaps all of it is there). Guarantees towards the listener:
// 1. Tickets count up by one, from 1. They are answered in this order.
// 2. When a ticket failed, all tickets given before the listener was told fail, too. So nothing is ever committed on
//    top of a hole. The first commit after that starts afresh: the caller repeats in it whatever it still wants stored.
// 3. The answer may come while commit() is still running.
// Threads: all calls and all answers on the control thread. Ownership: the caller owns the store, the store borrows the
// listener. Fails: load() by Result; commit() through the listener only.
#include <cstdint>
#include <string>
#include <vector>

#include "azora/base/result.hpp"

namespace azora::store {

enum class Table : std::uint8_t {
  heads,     // one row: numbers that count up over all runs
  entries,   // what users registered, by the entry's name
  services,  // what became of each service, by its serial
};

struct Key {
  Table table = Table::heads;
  std::string name;
  friend auto operator<=>(const Key&, const Key&) = default;
};

struct Row {
  Key key;
  std::string bytes;
  friend bool operator==(const Row&, const Row&) = default;
};

// One change: `rows` are added or replaced, `removed` are deleted where they exist. No key occurs twice.
struct Batch {
  std::vector<Row> rows;
  std::vector<Key> removed;
  bool empty() const { return rows.empty() && removed.empty(); }
};

using Ticket = std::uint64_t;

struct Failure {
  bool full = false;   // there is no room: the owner of the disk can help
  std::string reason;  // for people: names the file and what the system said
};

class StoreListener {
 public:
  virtual ~StoreListener() = default;
  virtual void on_committed(Ticket ticket) = 0;
  virtual void on_failed(Ticket ticket, const Failure& failure) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual void set_listener(StoreListener* listener) = 0;  // once, before the first commit
  // All rows of former runs, in order of their keys. Call it before the first commit.
  virtual Result<std::vector<Row>> load() = 0;
  // Never waits for the disk.
  virtual Ticket commit(Batch batch) = 0;
  // False: the rows end with this program, so the caller need not make any.
  virtual bool keeps_rows() const = 0;
};

}  // namespace azora::store
