#include "azora/keeper/program/shim_link.hpp"

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

void KeeperLink::accept_candidate() {
  const int fd = accept_own(kListenerFd);
  if (fd < 0) return;
  if (candidate_ >= 0) sys::close(candidate_);
  candidate_ = fd;
}

void KeeperLink::read_candidate() {
  const long size = receive_frame(candidate_, g_frame, sizeof g_frame);
  if (size == kNothing) return;
  if (!is_welcome(size)) {
    sys::close(candidate_);
    candidate_ = -1;
    return;
  }
  close();
  fd_ = candidate_;
  candidate_ = -1;
  owe(Owed::hello);
  owe(Owed::record);
}

// The candidate, by its first frame.
bool KeeperLink::is_welcome(long size) {
  Header header;
  Hello hello;
  if (size == kEnded || !read_header(g_frame, static_cast<std::size_t>(size), &header) ||
      header.type != FrameType::hello || !read_hello(g_frame, static_cast<std::size_t>(size), &hello)) {
    return false;
  }
  if (common_version(hello) == 0) {
    refuse(candidate_, header, RefusalCode::version);
    return false;
  }
  if (!is_same_boot(hello, own_hello())) {
    refuse(candidate_, header, RefusalCode::other_boot);
    return false;
  }
  return !is_fenced(candidate_, header);
}

bool KeeperLink::is_fenced(int fd, const Header& header) {
  if (header.epoch < epoch_) {
    refuse(fd, header, RefusalCode::fenced);
    return true;
  }
  epoch_ = header.epoch;
  return false;
}

long KeeperLink::receive() {
  if (fd_ < 0) return kNothing;
  const long size = receive_frame(fd_, g_frame, sizeof g_frame);
  if (size != kEnded) return size;
  close();
  return kNothing;
}

bool KeeperLink::admit(long size, Header* header) {
  if (read_header(g_frame, static_cast<std::size_t>(size), header)) return !is_fenced(fd_, *header);
  refuse(*header, RefusalCode::malformed);
  return false;
}

void KeeperLink::refuse(int fd, const Header& header, RefusalCode code, std::uint64_t incarnation) {
  std::uint8_t frame[kMaxSmallFrame];
  const std::uint64_t detail = code == RefusalCode::fenced    ? epoch_
                               : code == RefusalCode::version ? kNewestProtocol
                                                              : 0;
  const Refusal refusal{serial_, incarnation, code, header.type, detail};
  send_frame(fd, frame, write_refusal(frame, sizeof frame, refusal, header.request, epoch_));
}

void KeeperLink::send_owed(const Record& record) {
  if (fd_ < 0) return;
  std::uint8_t frame[kMaxSmallFrame];
  Sent sent = Sent::yes;
  const auto send = [&](Owed what, auto write) {
    if (sent != Sent::yes || !owed_.has(what)) return;
    sent = send_frame(fd_, frame, write());
    if (sent == Sent::yes) owed_.remove(what);
  };
  send(Owed::hello, [&] { return write_hello(frame, sizeof frame, own_hello(), epoch_); });
  send(Owed::record, [&] { return write_record(frame, sizeof frame, type_of(record.phase), record, 0, epoch_); });
  send(Owed::list_end, [&] { return write_empty(frame, sizeof frame, FrameType::list_end, 0, epoch_); });
}

void KeeperLink::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

}  // namespace azora::keeper
