#include "azora/keeper/program/search.hpp"

#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

// Collects the bytes of one variable after the other; what is too long to be one of ours is cut.
class EnvironmentReader {
 public:
  EnvironmentReader(const char* fleet, char* id) : fleet_(fleet), id_(id) {}
  void add(char byte) {
    if (byte != 0) {
      if (size_ < sizeof entry_ - 1) entry_[size_++] = byte;
      return;
    }
    entry_[size_] = 0;
    size_ = 0;
    if (starts_with(entry_, kFleetVariable)) ours_ = equal(entry_ + sizeof kFleetVariable - 1, fleet_);
    if (starts_with(entry_, kIdVariable)) keep_id(entry_ + sizeof kIdVariable - 1);
  }
  void finish() {
    add(0);
    if (!ours_) id_[0] = 0;
  }

 private:
  void keep_id(const char* value) {
    const std::size_t size = size_of(value);
    if (size <= kMaxServiceId) __builtin_memcpy(id_, value, size + 1);
  }
  const char* fleet_;
  char* id_;
  char entry_[256];
  std::size_t size_ = 0;
  bool ours_ = false;
};

void read_id(int pid, const char* fleet, char* id) {
  const int fd = sys::open(Path("/proc/", pid, "/environ").c_str(), O_RDONLY);
  if (fd < 0) return;
  EnvironmentReader reader(fleet, id);
  char buffer[4096];
  long size = 0;
  while ((size = sys::read(fd, buffer, sizeof buffer)) > 0) {
    for (long i = 0; i < size; ++i) reader.add(buffer[i]);
  }
  reader.finish();
  sys::close(fd);
}

}  // namespace

bool read_traces(int pid, const char* fleet, Traces* traces) {
  *traces = {};
  if (!read_stat(pid, &traces->stat) || !traces->stat.alive()) return false;
  traces->outputs[0] = pipe_inode(pid, 1);
  traces->outputs[1] = pipe_inode(pid, 2);
  read_id(pid, fleet, traces->id);
  return true;
}

bool is_of(const Record& record, const Traces& traces, bool session_is_service) {
  if (record.id[0] != 0 && equal(record.id, traces.id)) return true;
  if (record.pid > 0 && traces.stat.pid == record.pid) return traces.stat.start_ticks == record.start_ticks;
  if (record.pid > 0 && session_is_service && traces.stat.session == record.pid) return true;
  return record.output_pipe != 0 && (traces.outputs[0] == record.output_pipe || traces.outputs[1] == record.output_pipe);
}

bool is_same_session(const Record& record) {
  ProcessStat leader;
  return record.pid > 0 && (!read_stat(record.pid, &leader) || leader.start_ticks == record.start_ticks);
}

void kill_exactly(const ProcessStat& known) {
  const int pidfd = sys::pidfd_open(known.pid);
  if (pidfd < 0) return;
  ProcessStat now;
  if (read_stat(known.pid, &now) && now.start_ticks == known.start_ticks) sys::pidfd_kill(pidfd, SIGKILL);
  sys::close(pidfd);
}

int kill_with_descendants(PidList* pids) {
  int alive = 0;
  // Children are listed before their parent is hit: its death would hand them to another parent unseen.
  for (int i = 0; i < pids->count(); ++i) {
    ProcessStat stat;
    if (!read_stat(pids->at(i), &stat) || !stat.alive()) continue;
    ++alive;
    add_children(pids->at(i), pids);
    kill_exactly(stat);
  }
  return alive;
}

}  // namespace azora::keeper
