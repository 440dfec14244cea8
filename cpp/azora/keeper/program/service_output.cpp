#include "azora/keeper/program/service_output.hpp"

#include <sys/ioctl.h>

#include "azora/keeper/program/sys.hpp"

namespace azora::keeper {
namespace {

constexpr int kReadRounds = 16;                    // of a buffer, then other descriptors get their turn
constexpr int kLastRounds = 256;                   // a process that is not ours may hold the pipe and write on
constexpr std::int64_t kSlowDiskNs = 100'000'000;  // for kReadRounds buffers
constexpr int kBacklog = 32 * 1024;                // half of a pipe: the service is about to wait

}  // namespace

void ServiceOutput::read() {
  if (pipe_ < 0) return;
  const std::int64_t before = sys::steady_ns();
  if (log_.pump(pipe_, kReadRounds) == LogWriter::Pumped::ended) close_pipe();
  const std::int64_t now = sys::steady_ns();
  int waiting = 0;
  if (pipe_ >= 0 && now - before > kSlowDiskNs && sys::ioctl(pipe_, FIONREAD, &waiting) == 0 && waiting >= kBacklog) {
    log_.drop_backlog(pipe_);
  }
}

void ServiceOutput::end() {
  if (pipe_ < 0) return;
  log_.pump(pipe_, kLastRounds);
  close_pipe();
}

void ServiceOutput::close_pipe() {
  log_.finish_line();
  sys::close(pipe_);
  pipe_ = -1;
}

void ServiceOutput::show_if_due() {
  if (log_.show_at_ns() != 0 && sys::steady_ns() >= log_.show_at_ns()) log_.show_unfinished();
}

bool ServiceOutput::take_report() { return report_.is_new(loss()) && report_.take(loss(), sys::steady_ns()); }

}  // namespace azora::keeper
