#include "azora/model/view.hpp"

#include <atomic>
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

void write_last_exit(JsonWriter& json, const ExitView& exit) {
  json.begin_object();
  write_exit(json, exit.code, exit.signal, exit.oom);
  write_time(json, "at", exit.at);
  if (exit.left_pid) {
    json.key("reason");
    json.string(daemonizing_text(*exit.left_pid));
  }
  json.end_object();
}

void write_log_loss(JsonWriter& json, const LogLossView& loss) {
  json.key("logLoss");
  json.begin_object();
  json.key("lines");
  json.integer(static_cast<std::int64_t>(loss.lines));
  json.key("bytes");
  json.integer(static_cast<std::int64_t>(loss.bytes));
  write_time(json, "since", loss.since);
  json.key("reason");
  json.string(loss.reason);
  json.key("goesOn");
  json.boolean(loss.goes_on);
  json.end_object();
}

void write_owner_state(JsonWriter& json, const OwnerState& owner) {
  if (const auto& drain = owner.drain) {
    json.key("drain");
    json.begin_object();
    json.key("state");
    json.string(drain->done ? "drained" : "draining");
    json.key("then");
    json.string(wire_name(drain->then));
    write_time(json, "since", drain->since);
    write_time(json, "until", {drain->since.ms + drain->timeout.count()});
    json.end_object();
  }
  if (const auto& maintenance = owner.maintenance) {
    json.key("maintenance");
    json.begin_object();
    json.key("reason");
    json.string(maintenance->reason);
    write_time(json, "since", maintenance->since);
    json.key("until");
    maintenance->until ? json.string(iso_time(*maintenance->until)) : json.null();
    json.end_object();
  }
}

void append_last_error(std::string& out, const std::string& error) {
  if (error.empty()) return;
  out += ",\"lastError\":";
  append_json_string(out, error);
}

void append_usage(std::string& out, const Remarks* remarks) {
  JsonWriter json(out);
  json.raw({});
  json.key("cpuPercent");
  // Two decimals: smaller differences are noise of the sampling.
  const bool cpu = remarks != nullptr && remarks->cpu_percent;
  cpu ? json.number(std::round(*remarks->cpu_percent * 100) / 100) : json.null();
  json.key("rssBytes");
  remarks != nullptr && remarks->rss_bytes ? json.integer(*remarks->rss_bytes) : json.null();
}

std::atomic<std::uint64_t> bytes_made_so_far{0};

}  // namespace

std::string daemonizing_text(int left_pid) {
  return "ended with code 0 right after its start and left process " + std::to_string(left_pid) +
         " behind: a program that goes into the background can be neither watched nor healed; keep it in the foreground";
}

const HealingView& ServiceView::healing_or_default() const {
  static const HealingView kNone;
  return healing ? *healing : kNone;
}

// Lists of a hundred thousand services are made of these, so pieces are appended as they are.
void ServiceView::append_health(std::string& out, const Figures& figures) const {
  out += "{\"serviceId\":";
  append_json_string(out, spec->id);
  out.append(",\"status\":\"").append(wire_name(status)).append("\",\"lastCheck\":\"");
  append_iso_time(out, figures.last_check);
  out += "\",\"uptime\":";
  append_json_integer(out, figures.uptime_ms);
  out += ",\"restartCount\":";
  append_json_integer(out, restart_count);
  out += ",\"errorCount\":";
  append_json_integer(out, figures.error_count);
  out += ",\"responseTime\":";
  append_json_integer(out, figures.response_ms);
  if (const Remarks* remarks = figures.remarks.get()) {
    if (remarks->cpu) out.append(",\"cpu\":").append(*remarks->cpu);
    if (remarks->memory) out.append(",\"memory\":").append(*remarks->memory);
    append_last_error(out, remarks->last_error);  // our own key: after all keys of the seed
  }
  out += '}';
}

std::string ServiceView::health_json(const Figures& figures) const {
  std::string out;
  out.reserve(256);
  append_health(out, figures);
  return out;
}

ServiceView::Tail ServiceView::make_tail() const {
  Tail tail;
  JsonWriter json(tail.text);
  json.raw({});
  write_time(json, "startTime", start_time);
  json.key("lifecycle");
  json.string(wire_name(lifecycle));
  json.key("desired");
  json.string(wire_name(desired));
  if (restart_required) {
    json.key("restartRequired");
    json.boolean(true);
  }
  if (owner) write_owner_state(json, *owner);
  tail.error = tail.text.size();
  if (process) {
    json.key("process");
    json.begin_object();
    json.key("pid");
    process->pid ? json.integer(*process->pid) : json.null();
    json.key("incarnation");
    json.integer(static_cast<std::int64_t>(incarnation));
    json.key("startedAt");
    process->started_at ? json.string(iso_time(*process->started_at)) : json.null();
    tail.usage = tail.text.size();
    json.key("lastExit");
    process->last_exit ? write_last_exit(json, *process->last_exit) : json.null();
    json.key("logDropped");
    json.integer(static_cast<std::int64_t>(process->log_dropped));
    if (process->log_loss) write_log_loss(json, *process->log_loss);
    json.end_object();
  }
  if (instances) {
    json.key("instances");
    json.begin_array();
    for (const std::string& id : instances->ids) json.string(id);
    json.end_array();
    json.key("ready");
    json.integer(static_cast<std::int64_t>(instances->ready));
  }
  json.end_object();
  return tail;
}

std::string ServiceView::service_json(const Figures& figures) const {
  const Tail& tail = tail_.get([this] {
    Tail made = make_tail();
    bytes_made_so_far.fetch_add(made.text.size(), std::memory_order_relaxed);
    return made;
  });
  std::string out;
  out.reserve(spec->config.size() + tail.text.size() + 512);
  out.append("{\"config\":");
  spec->config.append_to(out);
  out.append(",\"health\":");
  append_health(out, figures);
  out.append(tail.text, 0, tail.error);
  append_last_error(out, figures.last_error());
  append_process(out, tail, figures);
  return out;
}

void ServiceView::append_detailed(std::string& out, const Figures& figures) const {
  append_health(out, figures);
  out.pop_back();  // removes the closing brace: more keys follow
  out.append(",\"config\":");
  spec->config.append_to(out);
  const Tail tail = make_tail();
  out.append(tail.text, 0, tail.error);
  append_process(out, tail, figures);
}

void ServiceView::append_process(std::string& out, const Tail& tail, const Figures& figures) const {
  if (!process) {
    out.append(tail.text, tail.error);
    return;
  }
  out.append(tail.text, tail.error, tail.usage - tail.error);
  append_usage(out, figures.remarks.get());
  out.append(tail.text, tail.usage);
}

std::uint64_t ServiceView::bytes_made() { return bytes_made_so_far.load(std::memory_order_relaxed); }

}  // namespace azora
