#include "azora/health/http_response.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace azora::health {
namespace {

using State = HttpResponse::State;

// What came of `bytes`, fed in pieces of `step` and followed by the end of the stream when `ends`.
struct Parsed {
  State state = State::more;
  int status = 0;
  bool reusable = false;
  std::string body;
  std::string problem;
  friend bool operator==(const Parsed&, const Parsed&) = default;
};

Parsed parse_by(const std::string& bytes, std::size_t step, bool ends, bool head) {
  HttpResponse response;
  response.begin(head);
  State state = State::more;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    state = response.feed(std::string_view(bytes).substr(at, step));
  }
  if (ends) state = response.end_of_stream();
  return {state, response.status(), response.reusable(), std::string(response.body()), response.problem()};
}

// The same however the stream is cut, but that what follows the end is seen in one piece only.
Parsed parse(const std::string& bytes, bool ends = false, bool head = false) {
  const Parsed whole = parse_by(bytes, std::max<std::size_t>(bytes.size(), 1), ends, head);
  for (const std::size_t step : {1u, 2u, 3u, 7u, 64u}) EXPECT_EQ(parse_by(bytes, step, ends, head), whole) << bytes;
  return whole;
}

TEST(HttpResponse, ReadsASizedAnswerAndKeepsTheConnection) {
  const Parsed p = parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok");
  EXPECT_EQ(p.state, State::complete);
  EXPECT_EQ(p.status, 200);
  EXPECT_TRUE(p.reusable);
  EXPECT_EQ(p.body, "");
}

TEST(HttpResponse, SaysWhatIsWrongWithALength) {
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: ";
  EXPECT_EQ(parse(begin + "2, 2\r\n\r\nok").problem, "Content-Length is a list where one number is expected");
  EXPECT_EQ(parse(begin + "two\r\n\r\nok").problem, "Content-Length is not a number");
}

TEST(HttpResponse, KeepsABodyThatMayBeAJsonObject) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n \n{\"a\":1}").body, "{\"a\":1}");
  EXPECT_EQ(parse("HTTP/1.1 503 No\r\nContent-Length: 7\r\n\r\n{\"a\":1}").body, "");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\nT: v\r\n\r\n").body,
            "{\"a\":1}");
}

TEST(HttpResponse, KnowsWhenAConnectionMayBeKept) {
  const struct {
    const char* bytes;
    bool reusable;
  } rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
      {"HTTP/1.1 204\r\n\r\n", true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: foo , CLOSE,keep-alive\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n", true},
  };
  for (const auto& row : rows) {
    const Parsed p = parse(row.bytes);
    EXPECT_EQ(p.state, State::complete) << row.bytes << p.problem;
    EXPECT_EQ(p.reusable, row.reusable) << row.bytes;
  }
}

TEST(HttpResponse, BytesAfterTheAnswerEndTheConnection) {
  HttpResponse response;
  response.begin(false);
  EXPECT_EQ(response.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500"), State::complete);
  EXPECT_EQ(response.status(), 200);
  EXPECT_FALSE(response.reusable());
}

TEST(HttpResponse, SkipsInterimAnswersUpToALimit) {
  std::string bytes;
  for (int i = 0; i < HttpResponse::kMaxInterim; ++i) bytes += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const std::string last = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(parse(bytes + last).status, 200);
  EXPECT_EQ(parse("HTTP/1.1 100 Continue\r\n\r\n" + bytes + last).state, State::broken);
  EXPECT_EQ(parse("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n").state, State::broken);
}

TEST(HttpResponse, AHeadAnswerHasNoBodyWhateverItsLength) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", false, true).state, State::complete);
}

TEST(HttpResponse, ABodyWithoutLengthEndsWithTheConnection) {
  const Parsed p = parse("HTTP/1.1 200 OK\r\n\r\n{\"cpu\":1}", true);
  EXPECT_EQ(p.state, State::complete);
  EXPECT_EQ(p.body, "{\"cpu\":1}");
  EXPECT_FALSE(p.reusable);
}

TEST(HttpResponse, AnEarlyEndIsAFault) {
  EXPECT_EQ(parse("", true).problem, "the connection was closed without a response");
  for (const char* bytes : {"H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
    EXPECT_EQ(parse(bytes, true).problem, "the connection was closed in the middle of the response") << bytes;
  }
}

TEST(HttpResponse, RefusesWhatTwoParsersCouldReadDifferently) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::string> rows = {
      "<html>hello</html>",
      "\r\nHTTP/1.1 200 OK\r\n\r\n",
      " HTTP/1.1 200 OK\r\n\r\n",
      "http/1.1 200 OK\r\n\r\n",
      "HTTP/2 200\r\n\r\n",
      "HTTP/1.2 200 OK\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1 2x0 OK\r\n\r\n",
      "HTTP/1.1 -20 OK\r\n\r\n",
      "HTTP/1.1\t200 OK\r\n\r\n",
      std::string("HTTP/1.1 200 O\0K\r\n\r\n", 19),
      "HTTP/1.1 200 OK\rX: y\r\n\r\n",
      ok + "A: b\rC: d\r\n\r\n",
      ok + "Content-Length: 1\r\n 2\r\n\r\n",
      ok + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
      ok + "Connection: keep-alive\r\n , close\r\nContent-Length: 0\r\n\r\n",
      ok + "\tA: b\r\n\r\n",
      ok + "Content-Length : 3\r\n\r\nabc",
      ok + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
      ok + ": b\r\n\r\n",
      ok + "no colon\r\n\r\n",
      ok + std::string("A: b\0c\r\n\r\n", 10),
      ok + std::string("A\0: b\r\n\r\n", 9),
      ok + "A(b): c\r\n\r\n",
      ok + "A: \x01\r\n\r\n",
      ok + "A: \x7f\r\n\r\n",
      ok + "Content-Length: 3\r\ncontent-length: 4\r\n\r\nabc",
      ok + "Content-Length: 3, 3\r\n\r\nabc",
      ok + "Content-Length: -1\r\n\r\n",
      ok + "Content-Length: +1\r\n\r\na",
      ok + "Content-Length: 0x1\r\n\r\na",
      ok + "Content-Length:\r\n\r\n",
      ok + "Content-Length: 1 1\r\n\r\na",
      ok + "Content-Length: 99999999999999999999\r\n\r\n",
      ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
      ok + "Transfer-Encoding: gzip\r\n\r\n",
      ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
      ok + "Transfer-Encoding: chunked, identity\r\n\r\n",
      ok + "Transfer-Encoding: xchunked\r\n\r\n",
      ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      chunked + "\r\n",
      chunked + "g\r\n",
      chunked + "-1\r\n",
      chunked + "0x3\r\nabc\r\n",
      chunked + "123456789\r\n",
      chunked + "ffffffffffffffffff\r\n",
      chunked + "3\nabc\r\n",
      chunked + "3 x\r\nabc\r\n",
      chunked + "3\r\nabcd\r\n",
      chunked + "3\r\nabc\n",
      chunked + "0\r\n folded\r\n\r\n",
      chunked + "0\r\nA: b\n\r\n",
  };
  for (const std::string& row : rows) EXPECT_EQ(parse(row).state, State::broken) << row;
}

// What curl and Go's client take is an answer. The connection is closed after it, though the peer did not say so.
TEST(HttpResponse, Rule51ReadsWhatCommonClientsReadAndClosesAfterIt) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<std::string> rows = {
      "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
      "HTTP/1.1 200\nContent-Length: 2\r\n\r\nok",
      ok + "A: b\nContent-Length: 2\r\n\r\nok",
      ok + "A: b\r\n folded\r\n\tonce more\r\nContent-Length: 2\r\n\r\nok",
      ok + "A : b\r\nContent-Length: 2\r\n\r\nok",
      ok + "Content-Length: 2\r\ncontent-length: 2\r\n\r\nok",
      ok + "Content-Length: 02\r\nContent-Length: 2\r\n\r\nok",
  };
  for (const std::string& row : rows) {
    const Parsed p = parse(row);
    EXPECT_EQ(p.state, State::complete) << row << p.problem;
    EXPECT_EQ(p.status, 200) << row;
    EXPECT_FALSE(p.reusable) << row;
    HttpResponse response;
    response.begin(false);
    response.feed(row);
    EXPECT_FALSE(response.ends_connection()) << row;
  }
}

TEST(HttpResponse, CapsHeadersOfEveryKind) {
  const std::string line = "X-Filler: " + std::string(100, 'a') + "\r\n";
  std::string flood = "HTTP/1.1 200 OK\r\n";
  while (flood.size() <= HttpResponse::kMaxHeaderBytes) flood += line;
  EXPECT_EQ(parse(flood).problem, "the headers are larger than 16 KiB");
  EXPECT_EQ(parse("HTTP/1.1 200 " + std::string(20'000, 'a')).problem, "the headers are larger than 16 KiB");
  std::string trailers = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  while (trailers.size() <= HttpResponse::kMaxHeaderBytes + 100) trailers += line;
  EXPECT_EQ(parse(trailers).problem, "the headers are larger than 16 KiB");
  std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 6000; ++i) chunks += "1\r\na\r\n";
  EXPECT_EQ(parse(chunks).problem, "the chunk lines are larger than 16 KiB");
}

TEST(HttpResponse, ABodyBeyondItsCapLeavesTheStatusButNotTheConnection) {
  const std::string big = "{" + std::string(HttpResponse::kMaxBodyBytes, ' ');
  for (const std::string& head :
       {std::string("Content-Length: 99999999\r\n\r\n"), std::string("\r\n"), std::string("Transfer-Encoding: chunked\r\n\r\n20000\r\n")}) {
    const Parsed p = parse_by("HTTP/1.1 200 OK\r\n" + head + big, 4096, false, false);
    EXPECT_EQ(p.state, State::complete);
    EXPECT_EQ(p.status, 200);
    EXPECT_FALSE(p.reusable);
    EXPECT_EQ(p.body, "");
  }
  const std::string exact = "{" + std::string(HttpResponse::kMaxBodyBytes - 1, ' ');
  const Parsed p = parse_by("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n" + exact, 5000, false, false);
  EXPECT_TRUE(p.reusable);
  EXPECT_EQ(p.body.size(), HttpResponse::kMaxBodyBytes);
}

TEST(HttpResponse, IsReadyForTheNextAnswerAfterBegin) {
  HttpResponse response;
  response.begin(false);
  EXPECT_EQ(response.feed("garbage"), State::broken);
  response.begin(false);
  EXPECT_FALSE(response.started());
  EXPECT_EQ(response.feed("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), State::complete);
}

// Mutated answers: never a crash, never more kept than the caps, the same however cut.
TEST(HttpResponse, SurvivesMutationsAndReadsThemTheSameHoweverCut) {
  std::mt19937 random(11);
  const std::vector<std::string> seeds = {
      "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: keep-alive\r\n\r\n{\"cpu\":1}",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
      "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.0 503 Gone\r\nConnection: keep-alive\r\n\r\n"};
  const std::string alphabet = std::string("\r\n \t:;0129afHTP/.,{}\"", 21) + std::string(1, '\0');
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seeds[random() % seeds.size()];
    for (unsigned i = 0; i <= random() % 4; ++i) {
      const std::size_t at = random() % bytes.size();
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0: bytes[at] = c; break;
        case 1: bytes.insert(at, 1, c); break;
        default: bytes.erase(at, 1); break;
      }
    }
    const Parsed whole = parse_by(bytes, bytes.size(), true, false);
    const Parsed cut = parse_by(bytes, 1 + random() % 5, true, false);
    ASSERT_EQ(cut.state, whole.state) << bytes;
    // Which of several faults is named may depend on the cut.
    if (whole.state == State::complete) {
      ASSERT_EQ(cut, whole) << bytes;
    }
    ASSERT_NE(whole.state, State::more);
  }
}

}  // namespace
}  // namespace azora::health
