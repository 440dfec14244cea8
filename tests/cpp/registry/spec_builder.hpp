#pragma once
// Specs for tests of this folder, without the parser.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azora/model/service_name.hpp"
#include "azora/model/service_spec.hpp"

namespace azora::registry {

struct SpecBuilder {
  ServiceSpec spec;

  explicit SpecBuilder(std::string id) {
    spec.id = std::move(id);
    spec.type = "core";
    spec.endpoint = Endpoint{"http://127.0.0.1:7001"};
  }
  SpecBuilder& type(std::string value) {
    spec.type = std::move(value);
    return *this;
  }
  SpecBuilder& group(std::string value) {
    spec.own_group = std::move(value);
    spec.explicit_group = true;
    return *this;
  }
  SpecBuilder& needs(std::vector<std::string> ids, Strength strength = Strength::hard) {
    for (std::string& id : ids) {
      spec.dependencies.push_back({std::move(id), Condition::healthy, strength, 1});
    }
    return *this;
  }
  SpecBuilder& needs_at_least(int min, std::string id) {
    spec.dependencies.push_back({std::move(id), Condition::healthy, Strength::hard, min});
    return *this;
  }
  SpecBuilder& replicas(int count) {
    spec.replicas = count;
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
  // The entry as it was written.
  SpecPtr make() const { return std::make_shared<const ServiceSpec>(spec); }
  // What it stands for.
  std::vector<SpecPtr> services() const {
    const SpecPtr entry = make();
    if (entry->replicas == 1) return {entry};
    std::vector<SpecPtr> specs;
    for (int i = 0; i < entry->replicas; ++i) {
      auto one = std::make_shared<ServiceSpec>(*entry);
      one->id = instance_id(entry->id, i);
      one->entry = entry;
      specs.push_back(std::move(one));
    }
    return specs;
  }
};

}  // namespace azora::registry
