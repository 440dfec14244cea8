#include "azora/keeper/environment.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>

#include "azora/keeper/launch_hash.hpp"

namespace azora::keeper {
namespace {

constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

bool is_inherited(std::string_view name) {
  if (name.starts_with("LC_") || name.starts_with("XDG_")) return true;
  return std::any_of(std::begin(kInheritedNames), std::end(kInheritedNames),
                     [&](const char* one) { return name == one; });
}

std::vector<std::string> inherited(const LaunchSpec& spec, const OwnWorld& world, const std::optional<Account>& account) {
  const auto asked_for = [&](const std::string& name) {
    return std::any_of(spec.inherit_env.begin(), spec.inherit_env.end(),
                       [&](const std::string& one) { return one == "*" || one == name; });
  };
  std::map<std::string, std::string> chosen{{"PATH", std::string(kDefaultPath)}};
  for (const auto& [name, value] : world.environment) {
    if (is_inherited(name) || asked_for(name)) chosen[name] = value;
  }
  if (account) {
    chosen["HOME"] = account->home;
    chosen["USER"] = account->name;
    chosen["LOGNAME"] = account->name;
    chosen["SHELL"] = account->shell;
    // Our XDG_RUNTIME_DIR is for our user: sockets of another user's service there would fail or, worse, work.
    if (!asked_for("XDG_RUNTIME_DIR")) chosen.erase("XDG_RUNTIME_DIR");
  }
  std::vector<std::string> texts;
  for (const auto& [name, value] : chosen) texts.push_back(name + "=" + value);
  return texts;
}

std::string absolute(const std::string& path, const std::string& folder) {
  if (path.empty() || path.front() == '/' || folder.empty()) return path;
  return folder + "/" + path;
}

constexpr std::array<std::pair<std::string_view, int>, 16> kLimits{{{"as", RLIMIT_AS},
                                                                    {"core", RLIMIT_CORE},
                                                                    {"cpu", RLIMIT_CPU},
                                                                    {"data", RLIMIT_DATA},
                                                                    {"fsize", RLIMIT_FSIZE},
                                                                    {"locks", RLIMIT_LOCKS},
                                                                    {"memlock", RLIMIT_MEMLOCK},
                                                                    {"msgqueue", RLIMIT_MSGQUEUE},
                                                                    {"nice", RLIMIT_NICE},
                                                                    {"nofile", RLIMIT_NOFILE},
                                                                    {"nproc", RLIMIT_NPROC},
                                                                    {"rss", RLIMIT_RSS},
                                                                    {"rtprio", RLIMIT_RTPRIO},
                                                                    {"rttime", RLIMIT_RTTIME},
                                                                    {"sigpending", RLIMIT_SIGPENDING},
                                                                    {"stack", RLIMIT_STACK}}};
static_assert(kLimits.size() <= kMaxLimits);

std::uint32_t wire_millis(Millis span) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(span.count(), 0, INT32_MAX));
}

std::uint64_t limit_value(std::int64_t value) {
  return value < 0 ? static_cast<std::uint64_t>(RLIM_INFINITY) : static_cast<std::uint64_t>(value);
}

}  // namespace

OwnWorld own_world() {
  OwnWorld world;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view text = *at;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    world.environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  std::array<char, PATH_MAX> folder{};
  // A folder that was removed under us has no name; its services begin at the root.
  world.folder = ::getcwd(folder.data(), folder.size()) != nullptr && folder[0] == '/' ? folder.data() : "/";
  world.uid = ::geteuid();
  return world;
}

std::uint32_t own_umask() {
  constexpr std::uint32_t kUsual = 022;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Umask:")) return static_cast<std::uint32_t>(std::strtoul(line.c_str() + 6, nullptr, 8)) & 0777;
  }
  return kUsual;
}

std::string limit_name(std::uint32_t resource) {
  for (const auto& [name, number] : kLimits) {
    if (static_cast<std::uint32_t>(number) == resource) return std::string(name);
  }
  return std::to_string(resource);
}

StopOrder stop_order(const LaunchSpec& spec) {
  return {.signal = spec.stop_signal, .timeout_ms = wire_millis(spec.stop_timeout), .tree = spec.stop_mode == StopMode::tree};
}

Result<LaunchRequest> resolve(const Launch& launch, const OwnWorld& world, const std::optional<Account>& account,
                              const std::string& fleet, std::uint32_t umask) {
  const LaunchSpec& spec = launch.spec;
  LaunchRequest request;
  request.serial = launch.serial;
  request.incarnation = launch.incarnation;
  request.id = launch.id;
  request.spec_hash = launch_hash(spec, launch.port);
  request.argv = spec.argv;
  request.env_before = inherited(spec, world, account);
  for (const auto& [name, value] : spec.env) request.env_after.push_back(name + "=" + value);
  request.env_after.push_back(kIdVariable + launch.id);
  request.env_after.push_back(kFleetVariable + fleet);
  request.env_after.push_back("AZORA_INCARNATION=" + std::to_string(launch.incarnation));
  if (launch.port > 0) request.env_after.push_back("PORT=" + std::to_string(launch.port));
  request.env_file = absolute(spec.env_file, world.folder);
  request.env_expand = spec.env_expand;
  request.cwd = spec.cwd.empty() ? world.folder : absolute(spec.cwd, world.folder);
  if (account) {
    request.switch_user = true;
    request.uid = account->uid;
    request.gid = account->gid;
    request.groups = account->groups;
  }
  request.stop = stop_order(spec);
  request.orphan_timeout_ms = wire_millis(spec.orphan_timeout);
  request.log_max_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(spec.log.max_bytes, 1));
  request.log_files = static_cast<std::uint32_t>(std::max(spec.log.files, 1));
  request.umask = spec.umask.value_or(umask);
  request.no_new_privs = spec.no_new_privs;
  request.memory_limit = static_cast<std::uint64_t>(std::max<std::int64_t>(spec.memory_limit, 0));
  for (const auto& [name, values] : spec.rlimits) {
    const auto* found = std::find_if(kLimits.begin(), kLimits.end(), [&wanted = name](const auto& row) { return row.first == wanted; });
    if (found == kLimits.end()) {
      return spec_error({Fault{"process.rlimits." + name, "is not a resource limit of this system; leave it out"}});
    }
    request.limits.push_back({static_cast<std::uint32_t>(found->second), limit_value(values.first), limit_value(values.second)});
  }
  return request;
}

}  // namespace azora::keeper
