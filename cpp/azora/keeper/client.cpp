#include "azora/keeper/client.hpp"

#include <unistd.h>

#include <utility>
#include <vector>

#include "azora/base/asio_loop.hpp"
#include "azora/base/thread.hpp"
#include "azora/keeper/client_worker.hpp"

namespace azora::keeper {

// Reports on their way to the control thread: one task there for all that came together.
class KeeperClient::Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(Loop& control) : control_(control) {}

  void set_listener(KeeperListener* listener) { listener_ = listener; }
  // The client has ended: what is still on its way is dropped. Control thread, as deliver().
  void close() { listener_ = nullptr; }

  // Any thread.
  void add(std::vector<Report> reports) {
    {
      MutexLock lock(mutex_);
      const bool first = reports_.empty();
      reports_.insert(reports_.end(), std::make_move_iterator(reports.begin()), std::make_move_iterator(reports.end()));
      if (!first || reports_.empty()) return;
    }
    control_.post([self = shared_from_this()] { self->deliver(); });
  }

 private:
  void deliver() {
    std::vector<Report> reports;
    {
      MutexLock lock(mutex_);
      reports.swap(reports_);
    }
    for (Report& report : reports) {
      if (listener_ != nullptr) call(report);
    }
  }

  void call(Report& report) {
    switch (report.kind) {
      case Report::Kind::started: return listener_->on_started(report.serial, report.incarnation, report.pid, report.at);
      case Report::Kind::start_failed:
        return listener_->on_start_failed(report.serial, report.incarnation, std::move(report.reason));
      case Report::Kind::exited: return listener_->on_exited(report.serial, report.incarnation, report.exit);
      case Report::Kind::swept: return listener_->on_swept(report.serial, report.incarnation);
      case Report::Kind::lost: return listener_->on_lost(report.serial, report.incarnation, std::move(report.reason));
      case Report::Kind::log_dropped: return listener_->on_log_dropped(report.serial, report.lines, report.loss);
      case Report::Kind::adopted: return listener_->on_adopted(report.serial, report.incarnation, *report.record);
      case Report::Kind::unknown: return listener_->on_unknown(*report.record);
      case Report::Kind::warning:
        return listener_->on_warning(report.serial, report.incarnation, std::move(report.reason));
      case Report::Kind::link_down: return listener_->on_link(false, std::move(report.reason));
      case Report::Kind::link_up: return listener_->on_link(true, std::move(report.reason));
    }
  }

  Loop& control_;
  KeeperListener* listener_ = nullptr;
  Mutex mutex_;
  std::vector<Report> reports_ AZORA_GUARDED_BY(mutex_);
};

namespace {

std::vector<Report> refused(const Launch& launch, const std::string& reason) {
  Ledger ledger;
  ledger.refuse_launch(launch.serial, launch.incarnation, reason);
  return ledger.take_reports();
}

std::vector<Report> link_lost(const std::string& reason) {
  std::vector<Report> reports(1);
  reports.front().kind = Report::Kind::link_down;
  reports.front().reason = reason;
  return reports;
}

}  // namespace

KeeperClient::KeeperClient(Loop& control, ClientOptions options)
    : owner_(::getpid()), died_(options.died), mailbox_(std::make_shared<Mailbox>(control)),
      worker_(std::make_shared<ClientWorker>(std::move(options), own_world(), [mailbox = mailbox_](std::vector<Report> reports) {
        mailbox->add(std::move(reports));
      })) {}

KeeperClient::~KeeperClient() {
  stop(Millis(0));
  mailbox_->close();
}

Result<void> KeeperClient::start() {
  if (is_foreign()) return Error{ErrorCode::closed, "this orchestrator belongs to the parent process"};
  MutexLock lock(mutex_);
  if (stopped_) return Error{ErrorCode::closed, "the keeper was stopped"};
  if (thread_) return {};
  if (Result<void> prepared = worker_->prepare(); !prepared) return prepared;
  thread_ = start_thread("az-keeper", [worker = worker_] { worker->run(); }, died_);
  if (thread_) return {};
  return Error{ErrorCode::keeper_failed,
               "the thread for the link to the keeper cannot be started; check the limit of processes"};
}

bool KeeperClient::stop(Millis deadline) {
  if (is_foreign()) {  // no lock: the thread that holds it may not exist in this child
    abandon();
    return true;
  }
  MutexLock stop_lock(stop_mutex_);  // a second caller waits for the first
  std::optional<std::thread> thread = end_of_thread();
  if (!thread) return clean_;
  worker_->end(AsioLoop::steady_now() + deadline);
  thread->join();
  clean_ = worker_->ended_clean();
  return clean_;
}

void KeeperClient::leave() {
  if (is_foreign()) return abandon();
  MutexLock stop_lock(stop_mutex_);
  std::optional<std::thread> thread = end_of_thread();
  if (!thread) return;
  worker_->leave();
  thread->join();
}

// Launches are refused from here on.
std::optional<std::thread> KeeperClient::end_of_thread() {
  MutexLock lock(mutex_);
  stopped_ = true;
  return std::exchange(thread_, std::nullopt);
}

void KeeperClient::abandon() AZORA_NO_THREAD_SAFETY_ANALYSIS {
  if (thread_ && thread_->joinable()) thread_->detach();
  thread_.reset();
}

void KeeperClient::set_listener(KeeperListener* listener) { mailbox_->set_listener(listener); }

void KeeperClient::launch(Launch launch) {
  const Result<void> started = start();
  if (!started) return mailbox_->add(refused(launch, started.error().message));
  worker_->push(std::move(launch));
}

// Without a thread nothing is adopted: what the shims hold is left to another try. Until then nothing is known of them.
void KeeperClient::adopt(Serial serial, std::uint64_t incarnation, std::string id) {
  if (const Result<void> started = start(); !started) return mailbox_->add(link_lost(started.error().message));
  worker_->push(AdoptCommand{serial, incarnation, std::move(id)});
}

void KeeperClient::acknowledge(Serial serial, std::uint64_t incarnation) {
  worker_->push(AcknowledgeCommand{serial, incarnation});
}

void KeeperClient::stop(Serial serial, std::uint64_t incarnation, const StopOrder& order) {
  worker_->push(StopCommand{serial, incarnation, order});
}

void KeeperClient::kill(Serial serial, std::uint64_t incarnation) { worker_->push(KillCommand{serial, incarnation}); }

void KeeperClient::forget(Serial serial) { worker_->push(ForgetCommand{serial}); }

std::uint64_t KeeperClient::epoch() const { return worker_->epoch(); }

Result<std::string> KeeperClient::log_folder(Serial serial) const {
  std::string folder = worker_->folder_of(serial);
  if (folder.empty()) return Error{ErrorCode::keeper_failed, "there are no logs, because no service was started yet"};
  return folder;
}

bool KeeperClient::is_foreign() const { return ::getpid() != owner_; }

}  // namespace azora::keeper
