#pragma once
// Resolves host names to addresses off the caller's thread, with a cache. A found name is fresh for 15 s. Afterwards
// it is looked up again, and the old addresses stay in use for as long as the lookup hangs or fails: the name server
// decides where we ask, never whether the service lives. A failed lookup is repeated after 1 s. Numeric hosts and
// `localhost` need no lookup.
// Threads: find() one thread (the owner). Lookups run on threads of the resolver (R63): a few while names are
// answered, and one more each time that no name is taken because all lookups hang, at most 64. `on_ready` is called
// on a lookup thread.
// Ownership: a lookup that hangs when the resolver is destroyed is left to end by itself and touches nothing of ours.
// Fails: never; a name without address is an answer.
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "azora/base/thread.hpp"
#include "azora/base/time.hpp"
#include "azora/net/address.hpp"

namespace azora::net {

struct Lookup {
  bool temporary = false;          // the name server failed; it did not say that there is none
  std::vector<Address> addresses;  // port 0; empty: the name has none
};

// The blocking system resolver.
Lookup system_lookup(const std::string& host);

class Resolver {
 public:
  using LookupFunction = std::function<Lookup(const std::string& host)>;
  struct Options {
    Nanos fresh = std::chrono::seconds(15);
    Nanos retry = std::chrono::seconds(1);
    LookupFunction lookup = system_lookup;  // one that throws counts as a name server that failed
    ThreadDied died;
  };
  enum class State { found, none, pending };
  struct Answer {
    State state = State::pending;
    bool stale = false;  // found, but the name could not be looked up again since
  };

  // `on_ready`: a lookup has ended, and collect() on the owner's thread takes its result.
  Resolver(Options options, std::function<void()> on_ready);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Answers at once from the cache, or starts a lookup and says `pending`. Replaces `addresses` by those that were
  // found, with the port asked for.
  Answer find(const std::string& host, std::uint16_t port, SteadyTime now, std::vector<Address>& addresses);
  // Takes the results of the lookups; returns the names that have an answer now.
  std::vector<std::string> collect(SteadyTime now);
  // Appends the addresses of numeric hosts and localhost (IPv4 first); false: the name must be looked up.
  static bool without_lookup(const std::string& host, std::uint16_t port, std::vector<Address>& addresses);

 private:
  struct Shared;
  struct Entry {
    std::vector<Address> addresses;
    SteadyTime asked{};     // of the last answer
    SteadyTime wanted{};    // of the lookup that is pending
    bool answered = false;
    bool pending = false;
    bool failed = false;    // the last answer had no address
  };

  void look_up(const std::string& host, Entry& entry, SteadyTime now);
  void forget_unused(SteadyTime now);

  Options options_;
  std::shared_ptr<Shared> shared_;
  std::unordered_map<std::string, Entry> cache_;
};

}  // namespace azora::net
