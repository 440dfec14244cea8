#include "azora/keeper/program/keeper_link.hpp"

#include <initializer_list>

#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/main.hpp"

namespace azora::keeper {

void OrchestratorLink::accept_candidate() {
  const int fd = accept_own(kListenerFd);
  if (fd < 0) return;
  if (candidate_ >= 0) sys::close(candidate_);
  candidate_ = fd;
  poll_.watch(candidate_, tag(Source::candidate));
}

bool OrchestratorLink::read_candidate() {
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
  poll_.watch(fd_, tag(Source::link));
  owe(Owed::hello);
  return true;
}

// The candidate, by its first frame.
bool OrchestratorLink::is_welcome(long size) {
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

bool OrchestratorLink::is_fenced(int fd, const Header& header) {
  if (header.epoch < epoch_) {
    refuse(fd, header, RefusalCode::fenced, {});
    return true;
  }
  epoch_ = header.epoch;
  return false;
}

long OrchestratorLink::receive() {
  if (fd_ < 0) return kNothing;
  const long size = receive_frame(fd_, g_frame, sizeof g_frame);
  if (size != kEnded) return size;
  close();
  return kNothing;
}

bool OrchestratorLink::admit(long size, Header* header) {
  if (read_header(g_frame, static_cast<std::size_t>(size), header)) return !is_fenced(fd_, *header);
  refuse(*header, RefusalCode::malformed);
  return false;
}

void OrchestratorLink::refuse(int fd, const Header& header, RefusalCode code, const ServiceRef& about) {
  std::uint8_t frame[kMaxSmallFrame];
  const std::uint64_t detail = code == RefusalCode::fenced    ? epoch_
                               : code == RefusalCode::version ? kNewestProtocol
                                                              : 0;
  const Refusal refusal{about.serial, about.incarnation, code, header.type, detail};
  send_frame(fd, frame, write_refusal(frame, sizeof frame, refusal, header.request, epoch_));
}

void OrchestratorLink::send_now(const std::uint8_t* frame, std::size_t size) {
  if (fd_ >= 0) send_frame(fd_, frame, size);
}

void OrchestratorLink::send_owed(FleetRecords& records) {
  if (fd_ < 0) return;
  std::uint8_t frame[kMaxSmallFrame];
  Sent sent = Sent::yes;
  const auto send = [&](Owed what, auto write) {
    if (sent != Sent::yes || !owed_.has(what)) return;
    sent = send_frame(fd_, frame, write());
    if (sent == Sent::yes) owed_.remove(what);
  };
  const auto alone = [&](FrameType type) {
    return [&, type] { return write_empty(frame, sizeof frame, type, 0, epoch_); };
  };
  send(Owed::hello, [&] { return write_hello(frame, sizeof frame, own_hello(), epoch_); });
  if (sent == Sent::yes && records.has_unsent()) {
    records.table().first([&](ShimEntry& entry) {
      if (!entry.unsent) return false;
      const FrameType type = type_of(entry.record.phase);
      sent = send_frame(fd_, frame, write_record(frame, sizeof frame, type, entry.record, 0, epoch_));
      if (sent == Sent::yes) records.sent(entry);
      return sent != Sent::yes;
    });
  }
  send(Owed::list_end, alone(FrameType::list_end));
  send(Owed::pong, alone(FrameType::pong));
  send(Owed::ended, alone(FrameType::ended));
  if (sent == Sent::broken) return close();
  const bool waits = sent == Sent::later;
  if (waits != waits_) poll_.watch(fd_, tag(Source::link), waits);
  waits_ = waits;
}

// That the fleet has ended is owed to the next one, too.
void OrchestratorLink::close() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
  waits_ = false;
  for (const Owed what : {Owed::hello, Owed::list_end, Owed::pong}) owed_.remove(what);
}

}  // namespace azora::keeper
