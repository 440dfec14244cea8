#include "azora/keeper/program/epoch_link.hpp"

#include "azora/keeper/program/main.hpp"
#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {

bool EpochLink::accept_candidate() {
  const int fd = accept_own(kListenerFd);
  if (fd < 0) return false;
  if (candidate_ >= 0) sys::close(candidate_);
  candidate_ = fd;
  return true;
}

bool EpochLink::read_candidate() {
  if (candidate_ < 0) return false;
  const long size = receive_frame(candidate_, g_frame, sizeof g_frame);
  if (size == kNothing) return false;
  if (!is_welcome(size)) {
    sys::close(candidate_);
    candidate_ = -1;
    return false;
  }
  close();
  fd_ = candidate_;
  candidate_ = -1;
  return true;
}

// The candidate, by its first frame.
bool EpochLink::is_welcome(long size) {
  Header header;
  Hello hello;
  if (size == kEnded || !read_header(g_frame, static_cast<std::size_t>(size), &header) ||
      header.type != FrameType::hello || !read_hello(g_frame, static_cast<std::size_t>(size), &hello)) {
    return false;
  }
  if (common_version(hello) == 0) {
    refuse(candidate_, header, RefusalCode::version, {});
    return false;
  }
  if (!is_same_boot(hello, own_hello())) {
    refuse(candidate_, header, RefusalCode::other_boot, {});
    return false;
  }
  return !is_fenced(candidate_, header);
}

bool EpochLink::is_fenced(int fd, const Header& header) {
  if (header.epoch < epoch_) {
    refuse(fd, header, RefusalCode::fenced, {});
    return true;
  }
  epoch_ = header.epoch;
  return false;
}

// The size of the next frame; kNothing when there is none, or the link has ended.
long EpochLink::receive() {
  if (fd_ < 0) return kNothing;
  const long size = receive_frame(fd_, g_frame, sizeof g_frame);
  if (size != kEnded) return size;
  close();
  return kNothing;
}

// Reads the header of a frame. False: it was refused.
bool EpochLink::admit(long size, Header* header) {
  if (read_header(g_frame, static_cast<std::size_t>(size), header)) return !is_fenced(fd_, *header);
  refuse(*header, RefusalCode::malformed);
  return false;
}

void EpochLink::refuse(int fd, const Header& header, RefusalCode code, const ServiceRef& about) {
  std::uint8_t frame[kMaxSmallFrame];
  const std::uint64_t detail = code == RefusalCode::fenced    ? epoch_
                               : code == RefusalCode::version ? kNewestProtocol
                                                              : 0;
  const Refusal refusal{about.serial != 0 ? about.serial : serial_, about.incarnation, code, header.type, detail};
  send_frame(fd, frame, write_refusal(frame, sizeof frame, refusal, header.request, epoch_));
}

void EpochLink::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

}  // namespace azora::keeper
