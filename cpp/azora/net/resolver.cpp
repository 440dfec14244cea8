#include "azora/net/resolver.hpp"

#include <netdb.h>

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <utility>

#include "azora/base/check.hpp"
#include "azora/base/mutex.hpp"
#include "azora/base/thread.hpp"

namespace azora::net {
namespace {
constexpr int kQuickThreads = 4;  // so many busy threads are enough while names are answered
constexpr int kMaxThreads = 64;
constexpr Millis kPatience{20};  // one more thread starts when names wait longer than this and none is taken
constexpr std::size_t kMaxAddresses = 16;   // of one name; a hostile zone may list thousands
constexpr std::size_t kMaxCache = 100'000;  // names
constexpr Nanos kUnused = std::chrono::minutes(5);  // a name that was not asked for since may go from a full cache
}  // namespace

Lookup system_lookup(const std::string& host) {
  Lookup out;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    out.temporary = code == EAI_AGAIN || code == EAI_MEMORY || code == EAI_SYSTEM;
    return out;
  }
  for (const addrinfo* it = list; it != nullptr && out.addresses.size() < kMaxAddresses; it = it->ai_next) {
    if (it->ai_family == AF_INET) {
      out.addresses.push_back(Address::from_ipv4(reinterpret_cast<sockaddr_in*>(it->ai_addr)->sin_addr, 0));
    } else if (it->ai_family == AF_INET6) {
      out.addresses.push_back(Address::from_ipv6(reinterpret_cast<sockaddr_in6*>(it->ai_addr)->sin6_addr, 0));
    }
  }
  freeaddrinfo(list);
  return out;
}

// What the lookup threads share; it outlives the resolver while one of them hangs.
struct Resolver::Shared : std::enable_shared_from_this<Resolver::Shared> {
  Mutex mutex;
  CondVar changed;
  std::deque<std::string> wanted AZORA_GUARDED_BY(mutex);
  std::vector<std::pair<std::string, Lookup>> ready AZORA_GUARDED_BY(mutex);
  std::function<void()> on_ready AZORA_GUARDED_BY(mutex);  // empty once the resolver is gone
  int threads AZORA_GUARDED_BY(mutex) = 0;
  int busy AZORA_GUARDED_BY(mutex) = 0;          // those that look up a name
  std::uint64_t taken AZORA_GUARDED_BY(mutex) = 0;  // names, so far
  bool closed AZORA_GUARDED_BY(mutex) = false;
  LookupFunction lookup;
  ThreadDied died;

  // Queues a name and makes sure that a thread takes it. False: there is no thread and none can be started.
  bool want(const std::string& host);

 private:
  // The body of a lookup thread.
  void run();
  std::optional<std::string> next();
  bool spawn();
  Lookup look_up(const std::string& host) const;
  void answer(std::string host, Lookup found);
};

// Waits for the next name that is wanted. nullopt: there will be none, or other threads already wait for it.
std::optional<std::string> Resolver::Shared::next() {
  bool grow = false;
  std::string host;
  {
    MutexLock lock(mutex);
    if (threads - busy > 1 && threads > kQuickThreads + 1) return std::nullopt;
    for (bool take = false; !take && !closed;) {
      changed.wait(mutex, [&]() AZORA_NO_THREAD_SAFETY_ANALYSIS { return closed || !wanted.empty(); });
      // The last free thread takes no name while the other threads make progress.
      const std::uint64_t before = taken;
      take = !changed.wait_for(mutex, kPatience, [&]() AZORA_NO_THREAD_SAFETY_ANALYSIS {
        return closed || wanted.empty() || busy < kQuickThreads || taken != before;
      });
      take = take || (!wanted.empty() && busy < kQuickThreads);
    }
    if (closed) return std::nullopt;
    host = std::move(wanted.front());
    wanted.pop_front();
    ++busy;
    ++taken;
    grow = threads == busy && threads < kMaxThreads;
    if (grow) ++threads;
    changed.notify_all();
  }
  if (grow) spawn();
  return host;
}

// Starts a thread, which the caller has already counted.
bool Resolver::Shared::spawn() {
  auto thread = start_thread("az-resolve", [shared = shared_from_this()] { shared->run(); }, died);
  if (thread) {
    // Detached: nothing can end a lookup that hangs, and no thread may wait for it.
    thread->detach();
    return true;
  }
  MutexLock lock(mutex);
  --threads;
  return false;
}

bool Resolver::Shared::want(const std::string& host) {
  {
    MutexLock lock(mutex);
    wanted.push_back(host);
    changed.notify_all();
    if (threads > busy) return true;
    if (threads == kMaxThreads) return true;
    ++threads;
  }
  if (spawn()) return true;
  MutexLock lock(mutex);
  return threads > 0;
}

// An exception, such as a lack of memory, is trouble of ours: the name is asked for again.
Lookup Resolver::Shared::look_up(const std::string& host) const {
  try {
    return lookup(host);
  } catch (...) {
    report_exception("az-resolve", std::current_exception());
    return {.temporary = true, .addresses = {}};
  }
}

void Resolver::Shared::answer(std::string host, Lookup found) {
  MutexLock lock(mutex);
  --busy;
  changed.notify_all();
  if (closed) return;
  ready.emplace_back(std::move(host), std::move(found));
  if (ready.size() == 1 && on_ready) on_ready();
}

void Resolver::Shared::run() {
  // Counts the thread as ended however it ends, so that another one can take its place.
  struct Counted {
    explicit Counted(Shared& all) : shared(all) {}
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() {
      MutexLock lock(shared.mutex);
      --shared.threads;
      if (working) --shared.busy;
    }
    Shared& shared;
    bool working = false;
  };
  Counted counted(*this);
  while (std::optional<std::string> host = next()) {
    counted.working = true;
    Lookup found = look_up(*host);
    answer(*std::move(host), std::move(found));
    counted.working = false;
  }
}

Resolver::Resolver(Options options, std::function<void()> on_ready)
    : options_(std::move(options)), shared_(std::make_shared<Shared>()) {
  shared_->lookup = options_.lookup;
  shared_->died = options_.died;
  MutexLock lock(shared_->mutex);
  shared_->on_ready = std::move(on_ready);
}

Resolver::~Resolver() {
  MutexLock lock(shared_->mutex);
  shared_->closed = true;
  shared_->on_ready = nullptr;
  shared_->changed.notify_all();
}

Resolver::Answer Resolver::find(const std::string& host, std::uint16_t port, SteadyTime now,
                                std::vector<Address>& addresses) {
  addresses.clear();
  if (without_lookup(host, port, addresses)) return {State::found};
  if (cache_.size() >= kMaxCache && !cache_.contains(host)) forget_unused(now);
  Entry& entry = cache_[host];
  const Nanos renew = entry.failed ? options_.retry : options_.fresh;
  if (!entry.answered || now - entry.asked >= renew) look_up(host, entry, now);
  if (entry.addresses.empty()) return {entry.pending ? State::pending : State::none};
  for (const Address& address : entry.addresses) addresses.push_back(address.with_port(port));
  return {State::found, entry.failed || (entry.pending && now - entry.wanted >= options_.fresh)};
}

std::vector<std::string> Resolver::collect(SteadyTime now) {
  std::vector<std::pair<std::string, Lookup>> ready;
  {
    MutexLock lock(shared_->mutex);
    ready.swap(shared_->ready);
  }
  std::vector<std::string> names;
  for (auto& [host, lookup] : ready) {
    Entry& entry = cache_[host];
    entry.pending = false;
    entry.answered = true;
    entry.asked = now;
    entry.failed = lookup.addresses.empty();
    if (!entry.failed) entry.addresses = std::move(lookup.addresses);
    names.push_back(std::move(host));
  }
  return names;
}

void Resolver::look_up(const std::string& host, Entry& entry, SteadyTime now) {
  if (entry.pending) return;
  entry.pending = true;
  entry.wanted = now;
  if (shared_->want(host)) return;
  MutexLock lock(shared_->mutex);
  shared_->wanted.clear();
  shared_->ready.emplace_back(host, Lookup{true, {}});
  if (shared_->on_ready) shared_->on_ready();
}

void Resolver::forget_unused(SteadyTime now) {
  std::erase_if(cache_, [&](const auto& row) {
    return !row.second.pending && now - row.second.asked > kUnused;
  });
}

bool Resolver::without_lookup(const std::string& host, std::uint16_t port, std::vector<Address>& addresses) {
  if (host == "localhost") {
    static const Address kLoopbacks[] = {*Address::parse("127.0.0.1", 0), *Address::parse("::1", 0)};
    for (const Address& address : kLoopbacks) addresses.push_back(address.with_port(port));
    return true;
  }
  const std::optional<Address> numeric = Address::parse(host, port);
  if (numeric) addresses.push_back(*numeric);
  return numeric.has_value();
}

}  // namespace azora::net
