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
    return program + "is in no folder of PATH" + where + "; install it or give its full path";
  }
  switch (record.failed_error) {
    case ENOENT:
      if (record.failed_detail == 1) {
        return program + "exists, but the interpreter its first line names, or its loader, does not; install that";
      }
      return program + "does not exist" + (launch.cwd.empty() ? "" : " (looked for from " + quoted(launch.cwd) + ")") +
             "; correct the path or install it";
    case EACCES: return program + "may not be executed; make it executable (chmod +x) or choose another";
    case ENOEXEC: return program + "is not a program the system can run; begin a script with #! and its interpreter";
    case E2BIG: return program + "cannot take arguments and environment this large; make them smaller";
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
    case SpawnStep::none: return "it was ended before it had started";
    case SpawnStep::shim: return "its shim cannot be started: " + why;
    case SpawnStep::fork: return "no process can be made for it: " + why + "; look at the limits of processes and open files";
    case SpawnStep::session: return "it cannot get a session of its own: " + why;
    case SpawnStep::cgroup: return "it cannot be put into its cgroup: " + why;
    case SpawnStep::env_file: return env_file_failure(record, launch);
    case SpawnStep::rlimit:
      return "process.rlimits." + limit_name(record.failed_detail) + ": cannot be set: " + why +
             "; stay below the orchestrator's own hard limit";
    case SpawnStep::user:
      return "process.user: cannot become user " + std::to_string(launch.uid) + ": " + why;
    case SpawnStep::privileges: return "process.noNewPrivs: cannot be set: " + why;
    case SpawnStep::chdir:
      return "process.cwd: " + quoted(launch.cwd) + " cannot be entered: " + why + "; make the folder or correct the path";
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
    case RefusalCode::malformed: return "the keeper did not understand the launch; install it and the package together";
    case RefusalCode::stale: return "a later incarnation of it was started already";
    case RefusalCode::busy: return "processes of the former incarnation are left, or its shim does not answer";
    case RefusalCode::ending: return "the fleet is being stopped";
    case RefusalCode::other_boot: return "the keeper is of another boot of this machine; remove the runtime folder";
    case RefusalCode::too_large:
      return "process.argv and its environment together are larger than a message of this system may be; pass what is "
             "large in a file or raise net.core.wmem_max";
    case RefusalCode::limit: return "the keeper has as many services as it can take; split them among orchestrators";
  }
  return "the keeper refused it";
}

std::string describe_memory_bound() {
  return "process.memoryLimit: no memory cgroup can be made here, so the limit is on the address space of each of its "
         "processes (RLIMIT_AS), not on the memory that all of them use together; what maps more than it uses fails "
         "early, and an exit for want of memory looks like any other";
}

}  // namespace azora::keeper
