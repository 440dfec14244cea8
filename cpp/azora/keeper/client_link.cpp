#include "azora/keeper/client_link.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace azora::keeper {
namespace {

std::string boot_id() {
  const Fd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  std::string text(36, '\0');
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

Text text_of(const std::string& text) { return {text.c_str(), static_cast<std::uint32_t>(text.size())}; }

}  // namespace

KeeperLink::KeeperLink(Fd socket, std::uint64_t epoch, const std::string& build_id)
    : socket_(std::move(socket)), epoch_(epoch), room_(kMaxSmallFrame) {
  const std::string boot = boot_id();
  Hello hello;
  hello.pid = ::getpid();
  hello.build_id = build_id.size() <= 100 ? text_of(build_id) : Text{};
  hello.boot_id = text_of(boot);
  std::vector<std::uint8_t> frame(kMaxSmallFrame);
  frame.resize(write_hello(frame.data(), frame.size(), hello, epoch));
  waiting_.push_back(std::move(frame));
  frame.assign(kMaxSmallFrame, 0);
  frame.resize(write_empty(frame.data(), frame.size(), FrameType::list, 0, epoch));
  waiting_.push_back(std::move(frame));
  flush();
}

std::optional<KeeperLink::Frame> KeeperLink::receive() {
  while (is_open()) {
    ssize_t size = ::recv(socket_.get(), room_.data(), room_.size(), MSG_DONTWAIT | MSG_TRUNC);
    // The peer closed before it had read all that we sent: what it sent before can still be read.
    if (size < 0 && errno == ECONNRESET) size = ::recv(socket_.get(), room_.data(), room_.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return std::nullopt;
    if (size <= 0) {
      close("the keeper ended");
      return std::nullopt;
    }
    Frame frame{.data = room_.data(), .size = static_cast<std::size_t>(size)};
    if (frame.size > room_.size() || !read_header(frame.data, frame.size, &frame.header)) continue;  // of a later version
    if (frame.header.type == FrameType::hello) on_hello(frame);
    if (is_open()) return frame;
  }
  return std::nullopt;
}

void KeeperLink::on_hello(const Frame& frame) {
  Hello hello;
  if (!read_hello(frame.data, frame.size, &hello)) return close("the keeper's greeting is not valid");
  if (common_version(hello) == 0) {
    return close("the keeper speaks protocol " + std::to_string(hello.oldest) + " to " + std::to_string(hello.newest) +
                 ", this package " + std::to_string(kOldestProtocol) + " to " + std::to_string(kNewestProtocol) +
                 "; install keeper and package together");
  }
  const std::string boot = boot_id();
  if (!is_same_boot(hello, {.build_id = {}, .boot_id = text_of(boot)})) {
    return close("the keeper belongs to another boot of this machine; remove the runtime folder");
  }
  pid_ = hello.pid;
  process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

// proc(5): the state is the first field behind the name, which may hold anything.
bool KeeperLink::keeper_is_stopped() const {
  if (!process_) return false;
  const Fd file(::open(("/proc/" + std::to_string(pid_) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(256, '\0');
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::size_t name_end = text.rfind(") ");
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return false;
  const char state = text[name_end + 2];
  // It had not ended when its state was read, so the pid still was its own.
  pollfd ended{process_.get(), POLLIN, 0};
  return (state == 'T' || state == 't') && ::poll(&ended, 1, 0) == 0;
}

void KeeperLink::send(std::vector<std::uint8_t> frame) {
  waiting_.push_back(std::move(frame));
  flush();
}

void KeeperLink::flush() {
  std::size_t sent = 0;
  for (const auto& frame : waiting_) {
    const ssize_t size = ::send(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR)) break;
    if (size < 0 && errno == EMSGSIZE) too_large_.push_back(frame);
    // What a dead peer sent last can still be read; the end of the connection follows after it.
    ++sent;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
}

void KeeperLink::close(std::string why) {
  socket_.reset();
  waiting_.clear();
  broken_ = std::move(why);
}

}  // namespace azora::keeper
