#include "azora/orchestrator/reads/list_bodies.hpp"

#include <utility>

#include "azora/model/json_writer.hpp"

namespace azora::orchestrator {
namespace {

template <typename Each>
void append_all(std::string& out, const Board& board, const Each& each) {
  bool first = true;
  board.in_order.for_each([&](const ViewPtr& view) {
    if (!each.wants(*view)) return;
    if (!first) out.push_back(',');
    first = false;
    each.write(out, *view);
  });
}

struct Health {
  bool wants(const ServiceView&) const { return true; }
  void write(std::string& out, const ServiceView& view) const { view.append_health(out, view.figures()); }
};

struct Detailed {
  bool wants(const ServiceView&) const { return true; }
  void write(std::string& out, const ServiceView& view) const { view.append_detailed(out, view.figures()); }
};

struct OfType {
  const std::string& type;
  bool wants(const ServiceView& view) const { return view.spec->type == type; }
  void write(std::string& out, const ServiceView& view) const {
    JsonWriter json(out);
    json.begin_object();
    json.key("id");
    json.string(view.spec->id);
    json.key("name");
    json.string(view.spec->name());
    json.key("type");
    json.string(*view.spec->type);
    json.key("health");
    json.raw({});
    view.append_health(out, view.figures());
    json.end_object();
  }
};

void append_totals(std::string& out, const Board& board) {
  out.append("{\"running\":").append(board.running ? "true" : "false");
  out.append(",\"totalServices\":").append(std::to_string(board.in_order.size()));
  out.append(",\"healthyServices\":").append(std::to_string(board.healthy));
  out.append(",\"unhealthyServices\":").append(std::to_string(board.unhealthy));
}

void append_ids(std::string& out, std::string_view key, const std::shared_ptr<const std::vector<ViewPtr>>& views) {
  out.append("\"").append(key).append("\":[");
  bool first = true;
  for (const ViewPtr& view : views ? *views : std::vector<ViewPtr>()) {
    if (!std::exchange(first, false)) out.push_back(',');
    JsonWriter(out).string(view->spec->id);
  }
  out += "]";
}

}  // namespace

Body ListBodies::status(const Moment& moment, bool detailed) {
  return (detailed ? detailed_ : status_).fresh(moment, bytes_made_, [&](std::string& out) {
    append_totals(out, *moment.board);
    out += ",\"services\":[";
    if (detailed) {
      append_all(out, *moment.board, Detailed{});
    } else {
      append_all(out, *moment.board, Health{});
    }
    out += "],";  // keys that the seed does not have come last
    append_ids(out, "endedServices", moment.board->ended);
    if (moment.board->unverified) {
      out += ",";
      append_ids(out, "unverifiedServices", moment.board->unverified);
    }
    out += "}";
  });
}

Body ListBodies::services(const Moment& moment) {
  return services_.fresh(moment, bytes_made_, [&](std::string& out) {
    out += "{\"services\":[";
    append_all(out, *moment.board, Health{});
    out += "]}";
  });
}

Body ListBodies::of_type(const Moment& moment, const std::string& type) {
  std::shared_ptr<KeptBody> kept;
  {
    MutexLock lock(types_mutex_);
    // Bounds the memory: a reader may ask for any number of types that do not exist.
    if (!types_.contains(type) && types_.size() >= kTypes) types_.clear();
    std::shared_ptr<KeptBody>& known = types_[type];
    if (!known) known = std::make_shared<KeptBody>();
    kept = known;
  }
  return kept->fresh(moment, bytes_made_, [&](std::string& out) {
    out += "{\"services\":[";
    append_all(out, *moment.board, OfType{type});
    out += "]}";
  });
}

}  // namespace azora::orchestrator
