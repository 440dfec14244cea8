#include "azora/model/view.hpp"

#include <cmath>

#include "azora/model/event.hpp"
#include "azora/model/iso_time.hpp"
#include "azora/model/json_writer.hpp"

namespace azora {
namespace {

void write_time(JsonWriter& json, std::string_view key, WallTime time) {
  json.key(key);
  json.string(iso_time(time));
}

void write_last_error(JsonWriter& json, const std::string& error) {
  if (error.empty()) return;
  json.key("lastError");
  json.string(error);
}

std::string make_health_json(const ServiceView& view) {
  std::string out;
  out.reserve(256);
  JsonWriter json(out);
  json.begin_object();
  json.key("serviceId");
  json.string(view.spec->id);
  json.key("status");
  json.string(wire_name(view.status));
  write_time(json, "lastCheck", view.last_check);
  json.key("uptime");
  json.integer(view.uptime_ms);
  json.key("restartCount");
  json.integer(view.restart_count);
  json.key("errorCount");
  json.integer(view.error_count);
  json.key("responseTime");
  json.integer(view.response_ms);
  if (view.remarks && view.remarks->cpu) {
    json.key("cpu");
    json.raw(*view.remarks->cpu);
  }
  if (view.remarks && view.remarks->memory) {
    json.key("memory");
    json.raw(*view.remarks->memory);
  }
  write_last_error(json, view.last_error());  // ours: after every key of the seed
  json.end_object();
  return out;
}

void write_exit(JsonWriter& json, const ExitView& exit) {
  json.begin_object();
  json.key("code");
  exit.code ? json.integer(*exit.code) : json.null();
  json.key("signal");
  exit.signal ? json.string(signal_name(*exit.signal)) : json.null();
  json.key("oom");
  exit.oom ? json.boolean(*exit.oom) : json.null();
  write_time(json, "at", exit.at);
  json.end_object();
}

void write_process(JsonWriter& json, const ProcessView& process, std::uint64_t incarnation) {
  json.begin_object();
  json.key("pid");
  process.pid ? json.integer(*process.pid) : json.null();
  json.key("incarnation");
  json.integer(static_cast<std::int64_t>(incarnation));
  json.key("startedAt");
  process.started_at ? json.string(iso_time(*process.started_at)) : json.null();
  json.key("cpuPercent");
  // Two decimals: what is below is noise of the sampling.
  process.cpu_percent ? json.number(std::round(*process.cpu_percent * 100) / 100) : json.null();
  json.key("rssBytes");
  process.rss_bytes ? json.integer(*process.rss_bytes) : json.null();
  json.key("lastExit");
  process.last_exit ? write_exit(json, *process.last_exit) : json.null();
  json.key("logDropped");
  json.integer(static_cast<std::int64_t>(process.log_dropped));
  json.end_object();
}

std::string make_service_json(const ServiceView& view) {
  std::string out;
  out.reserve(view.spec->config_json.size() + 512);
  JsonWriter json(out);
  json.begin_object();
  json.key("config");
  json.raw(view.spec->config_json);
  json.key("health");
  json.raw(view.health_json());
  write_time(json, "startTime", view.start_time);
  json.key("lifecycle");
  json.string(wire_name(view.lifecycle));
  json.key("desired");
  json.string(wire_name(view.desired));
  if (view.restart_required) {
    json.key("restartRequired");
    json.boolean(true);
  }
  write_last_error(json, view.last_error());
  if (view.process) {
    json.key("process");
    write_process(json, *view.process, view.incarnation);
  }
  json.end_object();
  return out;
}

std::atomic<std::uint64_t> bytes_made_so_far{0};

// The first reader to finish publishes; a second one at the same moment made the same bytes and
// drops them.
template <typename Make>
const std::string& once(std::atomic<const std::string*>& slot, const Make& make) {
  const std::string* known = slot.load(std::memory_order_acquire);
  if (known) return *known;
  auto made = std::make_unique<const std::string>(make());
  bytes_made_so_far.fetch_add(made->size(), std::memory_order_relaxed);
  if (slot.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) {
    return *made.release();
  }
  return *known;
}

}  // namespace

ServiceView::ServiceView(const ServiceView& other)
    : spec(other.spec),
      serial(other.serial),
      order(other.order),
      incarnation(other.incarnation),
      generation(other.generation),
      seq(other.seq),
      status(other.status),
      lifecycle(other.lifecycle),
      desired(other.desired),
      restart_required(other.restart_required),
      last_check(other.last_check),
      start_time(other.start_time),
      uptime_ms(other.uptime_ms),
      response_ms(other.response_ms),
      restart_count(other.restart_count),
      error_count(other.error_count),
      remarks(other.remarks),
      process(other.process) {}

ServiceView::~ServiceView() {
  delete health_json_.load(std::memory_order_acquire);
  delete service_json_.load(std::memory_order_acquire);
}

const std::string& ServiceView::last_error() const {
  static const std::string kNone;
  return remarks ? remarks->last_error : kNone;
}

std::uint64_t ServiceView::bytes_made() { return bytes_made_so_far.load(std::memory_order_relaxed); }

const std::string& ServiceView::health_json() const {
  return once(health_json_, [this] { return make_health_json(*this); });
}

const std::string& ServiceView::service_json() const {
  return once(service_json_, [this] { return make_service_json(*this); });
}

}  // namespace azora
