#include "azora/keeper/start_failure.hpp"

#include <cerrno>
#include <string_view>

#include "azora/keeper/env_file.hpp"
#include "azora/keeper/environment.hpp"
#include "azora/keeper/system_words.hpp"

namespace azora::keeper {
namespace {

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string path_of(const LaunchRequest& launch) {
  constexpr std::string_view kName = "PATH=";
  for (const auto* list : {&launch.env_after, &launch.env_before}) {
    for (auto text = list->rbegin(); text != list->rend(); ++text) {
      if (text->starts_with(kName)) return text->substr(kName.size());
    }
  }
  return "";
}

std::string program_failure(const Record& record, const LaunchRequest& launch) {
  const std::string program = "process.argv[0]: " + quoted(launch.argv.empty() ? "" : launch.argv[0]) + " ";
  if (record.failed_step == SpawnStep::search) {
    // envFile may have set another PATH, which only the shim's child has read.
    const std::string where = launch.env_file.empty() ? " (" + path_of(launch) + ")" : "";
    return program + "is not in any folder of PATH" + where + "; install it or give its full path";
  }
  switch (record.failed_error) {
    case ENOENT:
      if (record.failed_detail == 1) {
        return program + "exists, but the interpreter in its first line or its loader does not; install it";
      }
      return program + "does not exist" + (launch.cwd.empty() ? "" : " (relative to " + quoted(launch.cwd) + ")") +
             "; correct the path or install it";
    case EACCES:
      return program + "cannot be executed: permission denied; make it executable (chmod +x) or choose another program";
    case ENOEXEC:
      return program + "is not a program that the system can run; a script must begin with #! and its interpreter";
    case E2BIG: return program + "cannot be started with arguments and an environment this large; make them smaller";
    case ETXTBSY: return program + "is being written; wait until it is complete";
    default: return program + "cannot be run: " + system_words(record.failed_error);
  }
}

std::string env_file_failure(const Record& record, const LaunchRequest& launch) {
  const std::string file = "process.envFile: " + quoted(launch.env_file) + " ";
  if (record.failed_detail > 0) {
    return file + "line " + std::to_string(record.failed_detail) + " " +
           describe(static_cast<EnvFault>(record.failed_error));
  }
  if (record.failed_error == EFBIG) {
    return file + "is larger than " + std::to_string(kMaxEnvFile) + " bytes; make it smaller";
  }
  return file + "cannot be read: " + system_words(record.failed_error) + "; correct the path or its permissions";
}

}  // namespace

std::string describe_start_failure(const Record& record, const LaunchRequest& launch) {
  const std::string why = record.failed_error == 0 ? "no reason given" : system_words(record.failed_error);
  switch (record.failed_step) {
    case SpawnStep::none: return "it was stopped before it had started";
    case SpawnStep::shim: return "its shim cannot be started: " + why;
    case SpawnStep::fork:
      return "no process can be created for it: " + why + "; check the limits of processes and open files";
    case SpawnStep::session: return "a session cannot be created for it: " + why;
    case SpawnStep::cgroup: return "it cannot be put into its cgroup: " + why;
    case SpawnStep::env_file: return env_file_failure(record, launch);
    case SpawnStep::rlimit:
      return "process.rlimits." + limit_name(record.failed_detail) + ": cannot be set: " + why +
             "; stay below the orchestrator's own hard limit";
    case SpawnStep::user:
      return "process.user: cannot become user " + std::to_string(launch.uid) + ": " + why;
    case SpawnStep::privileges: return "process.noNewPrivs: cannot be set: " + why;
    case SpawnStep::chdir:
      return "process.cwd: " + quoted(launch.cwd) + " cannot be entered: " + why +
             "; create the folder or correct the path";
    case SpawnStep::search:
    case SpawnStep::exec: return program_failure(record, launch);
    case SpawnStep::memory: return "no memory is left for it: " + why;
  }
  return why;
}

std::string describe_refusal(const Refusal& refusal) {
  switch (refusal.code) {
    case RefusalCode::fenced: return "another orchestrator has taken over its fleet";
    case RefusalCode::version: return "the keeper speaks another version of the protocol; install it and the package together";
    case RefusalCode::malformed:
      return "the keeper could not read the launch request; install it and the package together";
    case RefusalCode::stale: return "a later incarnation of it has already been started";
    case RefusalCode::busy: return "processes of the previous incarnation are left, or its shim does not respond";
    case RefusalCode::ending: return "the fleet is being stopped";
    case RefusalCode::other_boot:
      return "the keeper belongs to another boot of this machine; remove the runtime folder";
    case RefusalCode::too_large:
      return "process.argv and its environment together are larger than this system allows for one message; pass large "
             "data in a file or raise net.core.wmem_max";
    case RefusalCode::limit:
      return "the keeper has the maximum number of services; divide them among several orchestrators";
  }
  return "the keeper refused it";
}

std::string describe_memory_bound() {
  return "process.memoryLimit: no memory cgroup can be created here, so the limit applies to the address space of each "
         "of its processes (RLIMIT_AS), not to the memory that they use together; a program that maps more than it "
         "uses fails early, and an exit for lack of memory looks like any other";
}

}  // namespace azora::keeper
