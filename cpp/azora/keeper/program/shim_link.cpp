// What a shim is sent and sends. One keeper at a time; a later one that proves its epoch replaces it.
#include "azora/keeper/program/channel.hpp"
#include "azora/keeper/program/frame_buffer.hpp"
#include "azora/keeper/program/own_folder.hpp"
#include "azora/keeper/program/shim.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

constexpr int kFramesPerTurn = 8;

}  // namespace

void Shim::accept_candidate() {
  const int fd = accept_own(kListenerFd);
  if (fd < 0) return;
  if (candidate_ >= 0) sys::close(candidate_);
  candidate_ = fd;
}

void Shim::read_candidate() {
  const long size = receive_frame(candidate_, g_frame, sizeof g_frame);
  if (size == kNothing) return;
  Header header;
  Hello hello;
  bool welcome = size != kEnded && read_header(g_frame, static_cast<std::size_t>(size), &header) &&
                 header.type == FrameType::hello &&
                 read_hello(g_frame, static_cast<std::size_t>(size), &hello);
  if (welcome && common_version(hello) == 0) {
    refuse(candidate_, header, RefusalCode::version);
    welcome = false;
  }
  if (welcome && !is_same_boot(hello, own_hello())) {
    refuse(candidate_, header, RefusalCode::other_boot);
    welcome = false;
  }
  if (welcome && is_fenced(candidate_, header)) welcome = false;
  if (!welcome) {
    sys::close(candidate_);
    candidate_ = -1;
    return;
  }
  close_link();
  link_ = candidate_;
  candidate_ = -1;
  hello_pending_ = true;
  unsent_ = true;
}

void Shim::read_link() {
  for (int i = 0; i < kFramesPerTurn && link_ >= 0; ++i) {
    const long size = receive_frame(link_, g_frame, sizeof g_frame);
    if (size == kNothing) return;
    if (size == kEnded) return close_link();
    Header header;
    if (read_header(g_frame, static_cast<std::size_t>(size), &header)) {
      if (!is_fenced(link_, header)) on_frame(header, size);
    } else {
      refuse(link_, header, RefusalCode::malformed);
    }
    forget_frame(size);
  }
}

bool Shim::is_fenced(int fd, const Header& header) {
  if (header.epoch < epoch_) {
    refuse(fd, header, RefusalCode::fenced);
    return true;
  }
  epoch_ = header.epoch;
  return false;
}

void Shim::on_frame(const Header& header, long size) {
  if (header.type == FrameType::launch) return on_launch(header, size);
  if (header.type == FrameType::list) {
    list_pending_ = true;
    return changed();
  }
  if (header.type == FrameType::goodbye) return end();
  Text folder;
  if (header.type == FrameType::move && read_folder(g_frame, static_cast<std::size_t>(size), &folder)) {
    return on_move(folder);
  }
  ServiceRef ref;
  StopOrder order;
  const bool stops = header.type == FrameType::stop;
  if (stops ? !read_stop(g_frame, static_cast<std::size_t>(size), &ref, &order)
            : !read_ref(g_frame, static_cast<std::size_t>(size), &ref)) {
    return refuse(link_, header, RefusalCode::malformed);
  }
  if (header.type == FrameType::forget) {
    forgotten_ = true;
    return end();
  }
  if (ref.incarnation != record_.incarnation) return;  // about a former incarnation
  if (header.type == FrameType::ack && is_over(record_.phase)) record_.phase = Phase::idle;
  if (!has_process(record_.phase)) return;
  if (header.type != FrameType::ack) stop_asked();
  if (stops) stop_.order(order, living_main());
  if (header.type == FrameType::kill) kill_all();
}

// The runtime directory was removed: a place of ours in the new one, where the next keeper finds us.
void Shim::on_move(const Text& folder) {
  if (enter_own_folder(Path(folder.data, "/", arguments_.serial).c_str())) log_.move();
}

void Shim::on_launch(const Header& header, long size) {
  LaunchFrame frame;
  if (!read_launch(g_frame, static_cast<std::size_t>(size), &frame)) {
    return refuse(link_, header, RefusalCode::malformed);
  }
  const std::uint64_t incarnation = frame.incarnation;
  if (incarnation == record_.incarnation) return changed();  // said twice over a new link
  if (ending_) return refuse(link_, header, RefusalCode::ending, incarnation);
  if (incarnation < record_.incarnation) return refuse(link_, header, RefusalCode::stale, incarnation);
  if (has_process(record_.phase)) return refuse(link_, header, RefusalCode::busy, incarnation);
  launch(frame);
}

void Shim::refuse(int fd, const Header& header, RefusalCode code, std::uint64_t incarnation) {
  std::uint8_t frame[kMaxSmallFrame];
  const std::uint64_t detail = code == RefusalCode::fenced    ? epoch_
                               : code == RefusalCode::version ? kNewestProtocol
                                                              : 0;
  const Refusal refusal{record_.serial, incarnation, code, header.type, detail};
  send_frame(fd, frame, write_refusal(frame, sizeof frame, refusal, header.request, epoch_));
}

// What cannot be sent now is sent when there is room; nothing queues up, the record only gets newer.
void Shim::send_record() {
  if (link_ < 0) return;
  std::uint8_t frame[kMaxSmallFrame];
  if (hello_pending_) {
    const std::size_t size = write_hello(frame, sizeof frame, own_hello(), epoch_);
    if (send_frame(link_, frame, size) != Sent::yes) return;
    hello_pending_ = false;
  }
  if (unsent_) {
    record_.log_dropped = log_.dropped();
    record_.log_loss = log_.loss();
    const std::size_t size =
        write_record(frame, sizeof frame, type_of(record_.phase), record_, 0, epoch_);
    if (send_frame(link_, frame, size) != Sent::yes) return;
    unsent_ = false;
  }
  if (list_pending_) {
    const std::size_t size = write_empty(frame, sizeof frame, FrameType::list_end, 0, epoch_);
    if (send_frame(link_, frame, size) == Sent::yes) list_pending_ = false;
  }
}

void Shim::close_link() {
  if (link_ >= 0) sys::close(link_);
  link_ = -1;
}

}  // namespace azora::keeper
