#pragma once
// The services that bench_prober and bench_memory check: one responder process, which answers on every address of
// 127/8, so that each target has an address of its own. Threads: one. Ownership: the caller's. Fails: as said.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace azora::bench {

inline std::string address_of(int target) {
  return "127." + std::to_string(1 + target / 62'500) + "." + std::to_string(target / 250 % 250) + "." +
         std::to_string(1 + target % 250);
}

inline void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// A listening socket on every loopback address and its port; -1: refused, errno says why.
inline std::pair<int, std::uint16_t> listen_anywhere() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 4096) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return {-1, 0};
  }
  return {listener, ntohs(address.sin_port)};
}

// Answers every request at once, on every address of 127/8; never returns.
[[noreturn]] inline void respond(int listener, bool close_after, std::atomic<std::uint64_t>& answered) {
  const std::string answer = std::string("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n") +
                             (close_after ? "Connection: close\r\n" : "") + "\r\nok\n";
  const int set = epoll_create1(0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
  std::vector<epoll_event> events(512);
  char buffer[4096];
  while (true) {
    const int count = epoll_wait(set, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        for (int made = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK); made >= 0;
             made = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) {
          event.events = EPOLLIN | EPOLLET;
          event.data.fd = made;
          epoll_ctl(set, EPOLL_CTL_ADD, made, &event);
        }
        continue;
      }
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got > 0) {
        answered.fetch_add(1, std::memory_order_relaxed);
        send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      if (got == 0 || (got > 0 && close_after)) close(fd);
    }
  }
}

// Of this process or another, "self" by default: what it holds of anonymous memory.
inline long anonymous_kib(const std::string& process = "self") {
  std::ifstream status("/proc/" + process + "/status");
  std::string word;
  long value = 0;
  while (status >> word) {
    if (word == "RssAnon:" && status >> value) return value;
  }
  return 0;
}

}  // namespace azora::bench
