#include "azora/orchestrator/list_bodies.hpp"

#include "azora/model/json_writer.hpp"

namespace azora::orchestrator {
namespace {

constexpr Millis kFresh{100};

// An object's text with another key put before its closing brace.
void append_with(std::string& out, const std::string& object, std::string_view key, const std::string& value) {
  out.append(object, 0, object.size() - 1);
  out.append(",\"").append(key).append("\":").append(value).append("}");
}

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
  void write(std::string& out, const ServiceView& view) const { out += view.health_json(); }
};

struct HealthAndConfig {
  bool wants(const ServiceView&) const { return true; }
  void write(std::string& out, const ServiceView& view) const {
    append_with(out, view.health_json(), "config", view.spec->config_json);
  }
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
    json.string(view.spec->name);
    json.key("type");
    json.string(view.spec->type);
    json.key("health");
    json.raw(view.health_json());
    json.end_object();
  }
};

void append_totals(std::string& out, const Board& board) {
  out.append("{\"running\":").append(board.running ? "true" : "false");
  out.append(",\"totalServices\":").append(std::to_string(board.in_order.size()));
  out.append(",\"healthyServices\":").append(std::to_string(board.healthy));
  out.append(",\"unhealthyServices\":").append(std::to_string(board.unhealthy));
}

}  // namespace

template <typename Make>
ListBodies::Body ListBodies::fresh(Slot& slot, const std::shared_ptr<const Board>& board, SteadyTime now,
                                   const Make& make) {
  MutexLock lock(slot.mutex);
  Kept& kept = slot.kept;
  const bool newer = kept.body == nullptr || kept.list_version < board->list_version ||
                     (kept.board != board && now - kept.made >= kFresh);
  // A reader that comes with an older board than the kept one gets what is kept: never back in time.
  if (newer && !(kept.board && kept.board->seq > board->seq)) {
    std::string text;
    text.reserve(kept.body ? kept.body->size() + 256 : 4096);
    make(text);
    bytes_made_.fetch_add(text.size(), std::memory_order_relaxed);
    kept = {board->list_version, board, now, std::make_shared<const std::string>(std::move(text))};
  }
  return kept.body;
}

ListBodies::Body ListBodies::status(const std::shared_ptr<const Board>& board, bool detailed, SteadyTime now) {
  return fresh(detailed ? detailed_ : status_, board, now, [&](std::string& out) {
    append_totals(out, *board);
    out += ",\"services\":[";
    if (detailed) {
      append_all(out, *board, HealthAndConfig{});
    } else {
      append_all(out, *board, Health{});
    }
    out += "]}";
  });
}

ListBodies::Body ListBodies::services(const std::shared_ptr<const Board>& board, SteadyTime now) {
  return fresh(services_, board, now, [&](std::string& out) {
    out += "{\"services\":[";
    append_all(out, *board, Health{});
    out += "]}";
  });
}

ListBodies::Body ListBodies::of_type(const std::shared_ptr<const Board>& board, const std::string& type, SteadyTime now) {
  std::shared_ptr<Slot> slot;
  {
    MutexLock lock(types_mutex_);
    if (!types_.contains(type) && types_.size() >= kTypes) types_.clear();  // somebody asks for many: begin anew
    std::shared_ptr<Slot>& known = types_[type];
    if (!known) known = std::make_shared<Slot>();
    slot = known;
  }
  return fresh(*slot, board, now, [&](std::string& out) {
    out += "{\"services\":[";
    append_all(out, *board, OfType{type});
    out += "]}";
  });
}

}  // namespace azora::orchestrator
