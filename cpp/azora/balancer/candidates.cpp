#include "azora/balancer/balancer.hpp"
#include "azora/model/json_writer.hpp"

namespace azora::balancer {

std::string candidates_json(const std::vector<Candidate>& candidates) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const Candidate& one : candidates) {
    json.begin_object();
    json.key("serviceId");
    json.string(one.instance->id());
    json.key("tier");
    json.string(wire_name(one.tier));
    json.key("load");
    json.integer(one.load);
    json.key("loadSource");
    json.string(wire_name(one.load_source));
    json.key("weight");
    json.number(one.weight);
    if (one.excluded != Exclusion::none) {
      json.key("excluded");
      json.string(wire_name(one.excluded));
    }
    json.end_object();
  }
  json.end_array();
  return out;
}

}  // namespace azora::balancer
