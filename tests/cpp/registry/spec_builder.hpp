#pragma once
// Specs for tests of this folder, without the parser.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/model/service_spec.hpp"

namespace azora::registry {

struct SpecBuilder {
  ServiceSpec spec;

  explicit SpecBuilder(std::string id) {
    spec.id = id;
    spec.name = id;
    spec.group = std::move(id);
    spec.type = "core";
    spec.endpoint = Endpoint{"http://127.0.0.1:7001"};
  }
  SpecBuilder& type(std::string value) {
    spec.type = std::move(value);
    return *this;
  }
  SpecBuilder& group(std::string value) {
    spec.group = std::move(value);
    spec.explicit_group = true;
    return *this;
  }
  SpecBuilder& needs(std::vector<std::string> ids, Strength strength = Strength::hard) {
    for (std::string& id : ids) {
      spec.dependencies.push_back({std::move(id), Condition::healthy, strength});
    }
    return *this;
  }
  SpecBuilder& priority(int value) {
    spec.priority = value;
    return *this;
  }
  SpecBuilder& no_endpoint() {
    spec.endpoint.reset();
    return *this;
  }
  SpecPtr make() const { return std::make_shared<const ServiceSpec>(spec); }
};

}  // namespace azora::registry
