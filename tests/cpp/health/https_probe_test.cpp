// https:// probes against a TLS server of Python's, with a certificate made for the occasion.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "health/prober_rig.hpp"

namespace azora::health {
namespace {

// One thread per connection; the path says how to behave. Ends when its standard input does.
constexpr const char* kServer = R"PY(
import os, socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0), backlog=256)
accepted = 0
OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'{"cpu": 0.25, "memory": [1, 2]}'
ANSWERS = {
    "/ok": OK + b"Content-Length: 2\r\n\r\nok",
    "/json": OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    "/503": b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
    "/redirect": b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
    "/samelengths": OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
    "/foldedlength": OK + b"Content-Length:\r\n 2\r\n\r\nok",
    "/twolengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "/both": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "/folded": OK + b"X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "/barelf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "/nul": OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "/http09": b"<html>fine</html>",
}
FLOODS = {"/headers": (OK, b"X-Flood: y\r\n" * 300), "/body": (OK + b"\r\n", b"x" * 16384),
          "/interim": (b"", b"HTTP/1.1 103 Early\r\n\r\n" * 50)}
def serve(raw):
    try:
        tls = context.wrap_socket(raw, server_side=True)
        seen = b""
        while True:
            while b"\r\n\r\n" not in seen:
                piece = tls.recv(4096)
                if not piece:
                    return
                seen += piece
            head, seen = seen.split(b"\r\n\r\n", 1)
            method, path = head.split(b" ")[0], head.split(b" ")[1].decode()
            if path == "/hang":
                tls.recv(4096)
                return
            if path in FLOODS:
                first, rest = FLOODS[path]
                tls.sendall(first)
                while True:
                    tls.sendall(rest)
            if path == "/echo":
                seen_head = head.replace(b'"', b"'").replace(b"\r\n", b"|")
                body = b'{"cpu": "' + seen_head + b'"}'
                tls.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                continue
            if path == "/accepted":
                body = b'{"cpu": %d}' % accepted
                tls.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                continue
            tls.sendall(ANSWERS[path] if method != b"HEAD" else OK + b"Content-Length: 9\r\n\r\n")
            if path in ("/http09", "/barelf"):
                return
    except (OSError, KeyError):
        pass
    finally:
        raw.close()
def accept_all():
    global accepted
    while True:
        raw, _ = listener.accept()
        accepted += 1
        threading.Thread(target=serve, args=(raw,), daemon=True).start()
threading.Thread(target=accept_all, daemon=True).start()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
os._exit(0)
)PY";

class HttpsProbe : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    char pattern[] = "/tmp/azora-https-XXXXXX";
    const char* made = mkdtemp(pattern);
    if (made == nullptr) return;
    folder_ = made;
    const std::string make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=azora-test "
                             "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " +
                             folder_ + "/key.pem -out " + folder_ + "/cert.pem >/dev/null 2>&1";
    if (std::system(make.c_str()) != 0) return;
    std::ofstream(folder_ + "/server.py") << kServer;
    start_server();
    setenv("SSL_CERT_FILE", (folder_ + "/cert.pem").c_str(), 1);
  }
  static void TearDownTestSuite() {
    unsetenv("SSL_CERT_FILE");
    if (input_ >= 0) ::close(input_);  // the server ends with its standard input
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  void SetUp() override {
    if (port_ == 0) GTEST_SKIP() << "needs the openssl command and python3";
  }
  static std::shared_ptr<const ProbeTarget> target(const std::string& path, Millis timeout = Millis(5000)) {
    auto out = std::make_shared<ProbeTarget>(*target_of("https", "127.0.0.1", port_, timeout));
    out->path = path;
    return out;
  }

  static inline std::string folder_;
  static inline std::uint16_t port_ = 0;

 private:
  static void start_server() {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::string words[] = {"python3", folder_ + "/server.py", folder_ + "/cert.pem", folder_ + "/key.pem"};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    const int code = posix_spawnp(&pid_, "python3", &actions, nullptr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    if (code == 0) {
      std::string line;  // may come in pieces
      char byte = 0;
      while (::read(out[0], &byte, 1) == 1 && byte != '\n') line += byte;
      port_ = static_cast<std::uint16_t>(std::atoi(line.c_str()));
    } else {
      pid_ = 0;
    }
    ::close(out[0]);
  }

  static inline pid_t pid_ = 0;
  static inline int input_ = -1;
};

TEST_F(HttpsProbe, AnswersLikePlainHttp) {
  ProberRig rig;
  EXPECT_EQ(rig.ask(target("/ok")).http_status, 200);
  EXPECT_EQ(rig.ask(target("/503")).http_status, 503);
  EXPECT_EQ(rig.ask(target("/redirect")).http_status, 302);
  const ProbeResult json = rig.ask(target("/json"));
  ASSERT_TRUE(json.cpu && json.memory) << json.error;
  EXPECT_EQ(*json.cpu, "0.25");
  EXPECT_EQ(*json.memory, "[1,2]");
  EXPECT_GT(json.latency, Micros(0));
}

TEST_F(HttpsProbe, KeepsItsConnectionForFourFurtherChecksWhenAskedTo) {
  ProberRig rig;
  const auto accepted = [&](bool keep) {
    const ProbeResult result = rig.ask(keep ? kept(target("/accepted")) : target("/accepted"));
    return result.cpu ? std::stoi(*result.cpu) : -1;
  };
  const int before = accepted(true);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(accepted(true), before);
  EXPECT_EQ(accepted(true), before + 1);
  // After a failure it is a new one, too.
  EXPECT_EQ(rig.ask(kept(target("/503"))).http_status, 503);
  EXPECT_EQ(accepted(true), before + 2);
  rig.loop.post([&] { rig.forget(1); });
  EXPECT_EQ(accepted(true), before + 3);
  for (int i = 4; i < 7; ++i) EXPECT_EQ(accepted(false), before + i);
}

TEST_F(HttpsProbe, AsksTheConfiguredQuestion) {
  ProberRig rig;
  auto configured = std::make_shared<ProbeTarget>(*target("/echo"));
  configured->headers = ProbeHeaders{{"X-Key", "abc"}, {"Bad\r\nName", "x"}};
  const ProbeResult result = rig.ask(configured);
  ASSERT_TRUE(result.cpu);
  EXPECT_EQ(*result.cpu, "\"GET /echo HTTP/1.1|Host: 127.0.0.1:" + std::to_string(port_) +
                             "|X-Key: abc|User-Agent: azora-orchestrator\"");
  configured = std::make_shared<ProbeTarget>(*target("/ok"));
  configured->method = "HEAD";
  EXPECT_EQ(rig.ask(configured).http_status, 200);
  configured = std::make_shared<ProbeTarget>(*target("/ok"));
  configured->method = "POST";
  EXPECT_EQ(rig.ask(configured).http_status, 200);
  EXPECT_EQ(rig.ask(target("/ok")).http_status, 200);
}

TEST_F(HttpsProbe, HostileAnswersGetTheSameVerdictsAsOverPlainHttp) {
  ProberRig rig;
  for (const char* path : {"/twolengths", "/both", "/foldedlength", "/nul", "/http09", "/headers", "/interim"}) {
    const ProbeResult result = rig.ask(target(path));
    EXPECT_EQ(result.outcome, Outcome::protocol_error) << path << " " << result.http_status;
    EXPECT_NE(result.error, "") << path;
  }
  for (const char* path : {"/barelf", "/samelengths", "/folded"}) {
    EXPECT_EQ(rig.ask(kept(target(path))).http_status, 200) << path;
  }
  const ProbeResult big = rig.ask(target("/body"));
  EXPECT_EQ(big.outcome, Outcome::answered) << big.error;
  EXPECT_EQ(big.http_status, 200);
  EXPECT_EQ(rig.ask(target("/ok")).http_status, 200);
}

TEST_F(HttpsProbe, TimesOutAndIsAnsweredOnce) {
  ProberRig rig;
  const SteadyTime before = rig.loop.now().steady;
  const ProbeResult result = rig.ask(target("/hang", Millis(200)));
  EXPECT_EQ(result.outcome, Outcome::timed_out);
  EXPECT_GE(result.ended - before, Nanos(Millis(200)));
  rig.loop.post([&] {
    rig.post_ask({{.serial = 2, .target = target("/hang")}});
    rig.forget(2);
  });
  EXPECT_EQ(rig.wait_for(1)[0].outcome, Outcome::cancelled);
  EXPECT_EQ(rig.ask(target("/ok")).http_status, 200);
  EXPECT_EQ(rig.answers[1], 2);
  EXPECT_EQ(rig.answers[2], 1);
}

TEST_F(HttpsProbe, ChecksTheCertificateAndTheName) {
  NetProberOptions options;
  options.resolver.lookup = [](const std::string&) {
    net::Lookup out;
    out.addresses.push_back(*net::Address::parse("127.0.0.1", 0));
    return out;
  };
  ProberRig rig(options);
  auto named = std::make_shared<ProbeTarget>(*target("/ok"));
  named->host = "localhost";
  EXPECT_EQ(rig.ask(named, 2).http_status, 200);
  named = std::make_shared<ProbeTarget>(*target("/ok"));
  named->host = "other.test";
  const ProbeResult wrong_name = rig.ask(named, 3);
  EXPECT_EQ(wrong_name.outcome, Outcome::refused);
  EXPECT_NE(wrong_name.error, "");
  unsetenv("SSL_CERT_FILE");
  {
    ProberRig strict;
    EXPECT_EQ(strict.ask(target("/ok")).outcome, Outcome::refused);
  }
  setenv("SSL_CERT_FILE", (folder_ + "/cert.pem").c_str(), 1);
}

TEST_F(HttpsProbe, NobodyListeningIsRefused) {
  ProberRig rig;
  auto nobody = std::make_shared<ProbeTarget>(*target("/ok"));
  nobody->port = 1;
  EXPECT_EQ(rig.ask(nobody).outcome, Outcome::refused);
}

TEST_F(HttpsProbe, ManyTargetsAreSpreadOverHandlesAndAllAnswered) {
  ProberRig rig;
  for (int round = 0; round < 2; ++round) {
    std::vector<ProbeRequest> batch;
    for (std::uint64_t serial = 1; serial <= 80; ++serial) batch.push_back({.serial = serial, .target = target("/ok", Millis(20'000))});
    for (const ProbeResult& result : rig.ask(std::move(batch))) EXPECT_EQ(result.http_status, 200) << result.error;
  }
  for (std::uint64_t serial = 1; serial <= 80; serial += 2) rig.forget(serial);
}

}  // namespace
}  // namespace azora::health
