#include "azora/keeper/launch_hash.hpp"

#include <string>
#include <string_view>

#include "azora/base/hash.hpp"

namespace azora::keeper {
namespace {

// Fields one after the other, each with its length, so that no two specs give the same bytes.
class Bytes {
 public:
  void add(std::int64_t number) {
    text_ += std::to_string(number);
    text_ += ';';
  }
  void add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    text_ += text;
  }
  std::uint64_t hash() const { return hash_bytes(text_); }

 private:
  std::string text_;
};

}  // namespace

std::uint64_t launch_hash(const LaunchSpec& spec, int port) {
  Bytes bytes;
  bytes.add(static_cast<std::int64_t>(spec.argv.size()));
  for (const std::string& argument : spec.argv) bytes.add(argument);
  bytes.add(spec.cwd);
  bytes.add(static_cast<std::int64_t>(spec.env.size()));
  for (const auto& [name, value] : spec.env) {
    bytes.add(name);
    bytes.add(value);
  }
  bytes.add(spec.env_file);
  bytes.add(spec.env_expand ? 1 : 0);
  bytes.add(static_cast<std::int64_t>(spec.inherit_env.size()));
  for (const std::string& name : spec.inherit_env) bytes.add(name);
  bytes.add(spec.user);
  bytes.add(static_cast<std::int64_t>(spec.rlimits.size()));
  for (const auto& [name, limits] : spec.rlimits) {
    bytes.add(name);
    bytes.add(limits.first);
    bytes.add(limits.second);
  }
  bytes.add(spec.no_new_privs ? 1 : 0);
  bytes.add(spec.memory_limit);
  bytes.add(port);
  // Newer fields count only when they are not the default, so that programs launched before them keep their hash.
  if (spec.umask) {
    bytes.add("umask");
    bytes.add(static_cast<std::int64_t>(*spec.umask));
  }
  if (spec.orphan_timeout != LaunchSpec{}.orphan_timeout) {
    bytes.add("orphanTimeout");
    bytes.add(spec.orphan_timeout.count());
  }
  return bytes.hash();
}

}  // namespace azora::keeper
