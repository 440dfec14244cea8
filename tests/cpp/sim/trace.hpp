#pragma once
// A number for all that a run did: every event, every command to the keeper, every check that was asked and every row
// that was committed, with its time, in its order. The same seed gives the same number, whatever machine runs it.
// Threads: the test's. Ownership: borrows the world, which outlives it.
#include <cstdint>
#include <string_view>

#include "support/world.hpp"

namespace azora::orchestrator {

class Trace {
 public:
  // Goes before what listens to the same already.
  explicit Trace(World& world) : world_(world) {
    world.recorder.on_append = [this, then = world.recorder.on_append](const Recorder::Seen& event) {
      add('e', event.seq, event.incarnation, event.id, static_cast<std::uint64_t>(event.type), event.cause);
      if (then) then(event);
    };
    world.keeper.on_command = [this, then = world.keeper.on_command](const keeper::FakeKeeper::Command& command) {
      add('k', command.serial, command.incarnation, command.id, static_cast<std::uint64_t>(command.kind), "");
      if (then) then(command);
    };
    world.prober.on_ask = [this, then = world.prober.on_ask](const health::ProbeRequest& request) {
      add('p', request.serial, request.incarnation, "", request.generation, "");
      if (then) then(request);
    };
    world.store.on_commit = [this, then = world.store.on_commit](const store::Batch& batch, bool written) {
      for (const store::Row& row : batch.rows) add('r', static_cast<std::uint64_t>(row.key.table), written, row.key.name, 0, row.bytes);
      for (const store::Key& key : batch.removed) add('d', static_cast<std::uint64_t>(key.table), written, key.name, 0, "");
      if (then) then(batch, written);
    };
  }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  std::uint64_t hash() const { return hash_; }

 private:
  void add(char kind, std::uint64_t first, std::uint64_t second, std::string_view id, std::uint64_t what, std::string_view more) {
    mix(static_cast<std::uint64_t>(world_.loop.now().steady.time_since_epoch().count()));
    mix(static_cast<std::uint64_t>(kind));
    mix(first);
    mix(second);
    mix(what);
    for (const std::string_view text : {id, more}) {
      mix(text.size());
      for (const char byte : text) mix(static_cast<unsigned char>(byte));
    }
  }
  // FNV-1a, a word at a time.
  void mix(std::uint64_t word) {
    hash_ = (hash_ ^ word) * 1'099'511'628'211ULL;
    hash_ ^= hash_ >> 32;
  }

  World& world_;
  std::uint64_t hash_ = 14'695'981'039'346'656'037ULL;
};

}  // namespace azora::orchestrator
