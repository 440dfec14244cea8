// Hostile answers: each has its verdict, within the deadline, with bounded memory, and without a word to the
// probes beside it.
#include <gtest/gtest.h>

#include <fstream>

#include "azora/health/judge.hpp"
#include "health/prober_rig.hpp"
#include "health/scripted_server.hpp"

namespace azora::health {
namespace {

struct Evil {
  const char* name;
  Outcome outcome;
  int status;
  ScriptedServer::Behaviour behave;
};

// Sends `head`, then `piece` for ever.
ScriptedServer::Behaviour endless(std::string head, std::string piece) {
  return [head = std::move(head), piece = std::move(piece)](Peer& peer) {
    peer.request();
    if (!peer.send(head)) return;
    while (peer.send(piece)) {
    }
  };
}

// Sends `head`, then `piece` every 10 ms for ever.
ScriptedServer::Behaviour drip(std::string head, std::string piece) {
  return [head = std::move(head), piece = std::move(piece)](Peer& peer) {
    peer.request();
    if (!peer.send(head)) return;
    while (peer.pause(10) && peer.send(piece)) {
    }
  };
}

// Sends all to each question.
ScriptedServer::Behaviour says(std::string all) { return ScriptedServer::always(std::move(all)); }

// Sends all, then ends its half of the connection.
ScriptedServer::Behaviour says_and_closes(std::string all) {
  return [all = std::move(all)](Peer& peer) {
    peer.request();
    peer.send(all);
    peer.shut_down();
    peer.wait_for_end();
  };
}

std::string many(const std::string& piece, int times) {
  std::string out;
  out.reserve(piece.size() * static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) out += piece;
  return out;
}

std::vector<Evil> make_zoo() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string big(16'384, 'x');
  const auto slow_reader = [](Peer& peer) {
    while (peer.pause(1000)) {
    }
  };
  return {
      {"accepts and never answers", Outcome::timed_out, 0, slow_reader},
      {"drips what is no status line", Outcome::protocol_error, 0, drip("", "H")},
      {"drips a status line", Outcome::timed_out, 0, drip("HTTP/1.1 200 ", "O")},
      {"drips the beginning of an answer", Outcome::timed_out, 0, drip("HTTP/1.1 2", "")},
      {"drips headers", Outcome::timed_out, 0, drip(ok, "X: y\r\n")},
      {"drips a body", Outcome::timed_out, 0, drip(ok + "Content-Length: 1000\r\n\r\n", "x")},
      {"drips chunks", Outcome::timed_out, 0, drip(chunked, "1\r\nx\r\n")},
      {"drips a body without end", Outcome::timed_out, 0, drip(ok + "\r\n", "x")},
      {"says less than it promised", Outcome::timed_out, 0, says(ok + "Content-Length: 10\r\n\r\nabc")},
      {"promises a body and never begins", Outcome::timed_out, 0, says(ok + "Content-Length: 10\r\n\r\n")},
      {"never ends its headers", Outcome::timed_out, 0, says(ok + "X: y\r\n")},
      {"never ends its chunks", Outcome::timed_out, 0, says(chunked + "3\r\nabc\r\n")},
      {"never ends its trailers", Outcome::timed_out, 0, says(chunked + "0\r\nX: y\r\n")},
      {"floods interim answers slowly", Outcome::protocol_error, 0, drip("", "HTTP/1.1 100 Continue\r\n\r\n")},
      {"endless body with length", Outcome::answered, 200, endless(ok + "Content-Length: 99999999999\r\n\r\n", big)},
      {"endless body without length", Outcome::answered, 200, endless(ok + "\r\n", big)},
      {"endless chunk", Outcome::answered, 200, endless(chunked + "ffffffff\r\n", big)},
      {"endless chunks", Outcome::answered, 200, endless(chunked, "4000\r\n" + big + "\r\n")},
      {"endless tiny chunks", Outcome::protocol_error, 0, endless(chunked, many("1\r\nx\r\n", 500))},
      {"endless chunk extension", Outcome::protocol_error, 0, endless(chunked + "3;", big)},
      {"endless status line", Outcome::protocol_error, 0, endless("HTTP/1.1 200 ", big)},
      {"endless header line", Outcome::protocol_error, 0, endless(ok + "X: ", big)},
      {"endless header name", Outcome::protocol_error, 0, endless(ok, big)},
      {"header flood", Outcome::protocol_error, 0, endless(ok, many("X-Flood: y\r\n", 300))},
      {"trailer flood", Outcome::protocol_error, 0, endless(chunked + "0\r\n", many("X-Flood: y\r\n", 300))},
      {"1xx flood", Outcome::protocol_error, 0, endless("", many("HTTP/1.1 103 Early\r\n\r\n", 100))},
      {"1xx with endless headers", Outcome::protocol_error, 0, endless("HTTP/1.1 103 Early\r\n", many("X: y\r\n", 300))},
      {"an upgrade that was not requested", Outcome::protocol_error, 0,
       says("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")},
      {"two lengths that differ", Outcome::protocol_error, 0, says(ok + "Content-Length: 2\r\nContent-Length: 5\r\n\r\nok")},
      {"two lengths alike", Outcome::answered, 200, says(ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok")},
      {"length and chunked", Outcome::protocol_error, 0,
       says(ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
      {"negative length", Outcome::protocol_error, 0, says(ok + "Content-Length: -2\r\n\r\nok")},
      {"length beyond 64 bits", Outcome::protocol_error, 0, says(ok + "Content-Length: 18446744073709551618\r\n\r\nok")},
      {"chunk size beyond 64 bits", Outcome::protocol_error, 0, says(chunked + "10000000000000002\r\nok\r\n0\r\n\r\n")},
      {"chunk longer than it says", Outcome::protocol_error, 0, says(chunked + "1\r\nokok\r\n0\r\n\r\n")},
      {"gzip coding of the transfer", Outcome::protocol_error, 0, says(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")},
      {"gzip flag on the content", Outcome::answered, 200,
       says(ok + "Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\n" + std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10))},
      {"bare LF", Outcome::answered, 200, says("HTTP/1.1 200 OK\nContent-Length: 0\n\n")},
      {"folded header", Outcome::answered, 200, says(ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n")},
      {"empty header name", Outcome::protocol_error, 0, says(ok + ": a\r\nContent-Length: 0\r\n\r\n")},
      {"blank before the colon", Outcome::protocol_error, 0, says(ok + "Content-Length : 0\r\n\r\n")},
      {"NUL in a header", Outcome::protocol_error, 0, says(ok + std::string("X: a\0b\r\nContent-Length: 0\r\n\r\n", 28))},
      {"NUL in the status line", Outcome::protocol_error, 0, says(std::string("HTTP/1.1 200 O\0K\r\n\r\n", 20))},
      {"HTTP/0.9", Outcome::protocol_error, 0, says_and_closes("<html>fine</html>")},
      {"HTTP/2 preface", Outcome::protocol_error, 0, says(std::string("\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64", 15))},
      {"TLS alert", Outcome::protocol_error, 0, says_and_closes("\x15\x03\x01\x02\x02\x02\x0a")},
      {"SSH banner before the question", Outcome::protocol_error, 0,
       [](Peer& peer) {
         peer.send("SSH-2.0-OpenSSH_9.2\r\n");
         peer.wait_for_end();
       }},
      {"a status of two digits", Outcome::protocol_error, 0, says("HTTP/1.1 20 OK\r\n\r\n")},
      {"a status of no digits", Outcome::protocol_error, 0, says("HTTP/1.1 abc OK\r\n\r\n")},
      {"a status of its own", Outcome::answered, 999, says("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n")},
      {"redirect to itself", Outcome::answered, 302, says("HTTP/1.1 302 Found\r\nLocation: /health\r\nContent-Length: 0\r\n\r\n")},
      {"redirect to a file", Outcome::answered, 301,
       says("HTTP/1.1 301 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n")},
      {"reset before an answer", Outcome::refused, 0,
       [](Peer& peer) {
         peer.request();
         peer.reset();
       }},
      {"reset in the headers", Outcome::protocol_error, 0,
       [ok](Peer& peer) {
         peer.request();
         peer.send(ok);
         peer.pause(30);
         peer.reset();
       }},
      {"end before an answer", Outcome::protocol_error, 0, says_and_closes("")},
      {"end in the status line", Outcome::protocol_error, 0, says_and_closes("HTTP/1.1 2")},
      {"end in the headers", Outcome::protocol_error, 0, says_and_closes(ok + "X: y\r\n")},
      {"end in the body", Outcome::protocol_error, 0, says_and_closes(ok + "Content-Length: 10\r\n\r\nabc")},
      {"end in a chunk", Outcome::protocol_error, 0, says_and_closes(chunked + "5\r\nabc")},
      {"closes at once without reading", Outcome::refused, 0, [](Peer& peer) { peer.reset(); }},
      {"two answers to one question", Outcome::answered, 200,
       says(many(ok + "Content-Length: 2\r\n\r\nok", 2))},
      {"answers before it was asked", Outcome::answered, 200,
       [ok](Peer& peer) {
         peer.send(ok + "Connection: close\r\nContent-Length: 0\r\n\r\n");
         peer.wait_for_end();
       }},
      {"deep JSON", Outcome::answered, 200,
       says(ok + "Content-Length: 60013\r\n\r\n{\"cpu\":1,\"x\":" + std::string(60'000, '['))},
      {"wide JSON", Outcome::answered, 200,
       says_and_closes(ok + "\r\n{\"cpu\":[" + many("{},", 20'000) + "{}]}")},
      {"number bomb", Outcome::answered, 200, says_and_closes(ok + "\r\n{\"cpu\":1e" + std::string(30'000, '9') + "}")},
      {"bad UTF-8", Outcome::answered, 200, says_and_closes(ok + "\r\n{\"cpu\":\"\xff\xfe\xc0\x80\"}")},
  };
}

// Made once: every test of this program begins with the names of these.
const std::vector<Evil>& zoo() {
  static const std::vector<Evil> all = make_zoo();
  return all;
}

// Anonymous memory of this process in KiB.
long resident_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  long value = 0;
  while (status >> word) {
    if (word == "RssAnon:" && status >> value) return value;
  }
  return 0;
}

class EvilServer : public testing::TestWithParam<std::size_t> {};

TEST_P(EvilServer, GetsItsVerdictInTimeEveryTime) {
  const Evil& evil = zoo()[GetParam()];
  SCOPED_TRACE(evil.name);
  ScriptedServer server(evil.behave);
  ProberRig rig;
  const Millis timeout = evil.outcome == Outcome::timed_out ? Millis(150) : Millis(5000);
  for (int round = 0; round < 2; ++round) {
    const SteadyTime before = rig.loop.now().steady;
    const ProbeResult result = rig.ask(http_target(server.port(), timeout));
    // A verdict that does not depend on a timing of ours is the same each time.
    EXPECT_EQ(result.outcome, evil.outcome) << result.error << " round " << round;
    EXPECT_EQ(result.http_status, evil.status);
    if (result.outcome == Outcome::timed_out) {
      EXPECT_GE(result.ended - before, Nanos(timeout));
    }
    EXPECT_EQ(result.error.empty(), evil.outcome == Outcome::answered);
    if (result.cpu) {
      EXPECT_LE(result.cpu->size(), 4096u);
    }
  }
  EXPECT_EQ(rig.answers[1], 2);
}

INSTANTIATE_TEST_SUITE_P(Zoo, EvilServer, testing::Range(std::size_t{0}, zoo().size()),
                         [](const testing::TestParamInfo<std::size_t>& row) {
                           std::string name = zoo()[row.param].name;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

TEST(EvilServers, AllAtOnceDisturbNobodyAndTakeLittleMemory) {
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  for (const Evil& evil : zoo()) servers.push_back(std::make_unique<ScriptedServer>(evil.behave));
  ScriptedServer good(ScriptedServer::always("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  ProberRig rig;
  const auto ask_all = [&] {
    std::vector<ProbeRequest> batch;
    std::uint64_t serial = 0;
    for (const auto& server : servers) batch.push_back({.serial = ++serial, .target = http_target(server->port(), Millis(400))});
    const std::uint64_t first_good = serial + 1;
    for (int i = 0; i < 50; ++i) batch.push_back({.serial = ++serial, .target = http_target(good.port())});
    Micros slowest{0};
    for (const ProbeResult& result : rig.ask(std::move(batch))) {
      if (result.serial < first_good) continue;
      EXPECT_EQ(result.http_status, 200) << result.error;
      slowest = std::max(slowest, result.latency);
    }
    return slowest;
  };
  ask_all();
  [[maybe_unused]] const long before = resident_kib();
  for (int round = 0; round < 3; ++round) EXPECT_LT(ask_all(), Micros(2'000'000));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // 64 KiB for each of them would be 4 MiB; the servers' own threads are in here, too.
  EXPECT_LT(resident_kib() - before, 16 * 1024);
#endif
}

// A dribbling peer costs its own deadline and nothing else: no byte of an old answer reaches the next.
TEST(EvilServers, NothingOfAnAbandonedAnswerReachesTheNextQuestion) {
  ScriptedServer server([n = std::make_shared<std::atomic<int>>(0)](Peer& peer) {
    peer.request();
    if ((*n)++ == 0) {
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
      peer.pause(150);
      peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      peer.wait_for_end();
    } else {
      peer.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    }
  });
  ProberRig rig;
  EXPECT_EQ(rig.ask(http_target(server.port(), Millis(100))).outcome, Outcome::timed_out);
  EXPECT_EQ(rig.ask(http_target(server.port(), Millis(1000))).http_status, 503);
  EXPECT_EQ(server.accepted(), 2);
}

}  // namespace
}  // namespace azora::health
