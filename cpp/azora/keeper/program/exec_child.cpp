// The child of a shim between fork and exec. It owns a copy of everything, so nothing needs to be given back.
#include <errno.h>
#include <sys/prctl.h>

#include "azora/keeper/env_expand.hpp"
#include "azora/keeper/env_file.hpp"
#include "azora/keeper/frame_fields.hpp"
#include "azora/keeper/program/spawn.hpp"
#include "azora/keeper/program/sys.hpp"
#include "azora/keeper/program/text.hpp"

namespace azora::keeper {
namespace {

constexpr std::size_t kPathMost = 4096;
constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";

void check(long result, SpawnStep step, std::uint32_t detail = 0) {
  if (result < 0) fail_spawn(step, result, detail);
}

// The environment being put together: of two entries with one name the later stays.
class Environment {
 public:
  explicit Environment(std::size_t most)
      : texts_(static_cast<char**>(sys::map((most + 1) * sizeof(char*)))), most_(most) {
    if (texts_ == nullptr) fail_spawn(SpawnStep::memory, ENOMEM);
  }
  void set(char* text) {
    std::size_t name_size = 0;
    while (text[name_size] != 0 && text[name_size] != '=') ++name_size;
    for (std::size_t i = 0; i < count_; ++i) {
      if (__builtin_memcmp(texts_[i], text, name_size) == 0 && texts_[i][name_size] == '=') {
        texts_[i] = text;
        return;
      }
    }
    if (count_ < most_) texts_[count_++] = text;
  }
  void set_all(TextList list) {
    TextWalk walk(list);
    Text text;
    while (walk.next(&text)) set(const_cast<char*>(text.data));
  }
  char** texts() { return texts_; }
  // nullptr: it is not set.
  const char* find(const char* name, std::size_t size) const {
    for (std::size_t i = 0; i < count_; ++i) {
      if (__builtin_memcmp(texts_[i], name, size) == 0 && texts_[i][size] == '=') return texts_[i] + size + 1;
    }
    return nullptr;
  }
  const char* path() const {
    const char* found = find("PATH", 4);
    return found != nullptr ? found : kDefaultPath;
  }

 private:
  char** texts_;
  std::size_t most_;
  std::size_t count_ = 0;
};

struct FileText {
  char* data = nullptr;
  std::size_t size = 0;
  std::size_t lines = 1;
};

FileText read_env_file(const char* path) {
  const int fd = sys::open(path, O_RDONLY);
  if (fd < 0) fail_spawn(SpawnStep::env_file, fd);
  FileText text{.data = static_cast<char*>(sys::map(kMaxEnvFile + 1))};
  if (text.data == nullptr) fail_spawn(SpawnStep::memory, ENOMEM);
  for (;;) {
    const long got = sys::read(fd, text.data + text.size, kMaxEnvFile - text.size);
    if (got == -EINTR) continue;
    if (got < 0) fail_spawn(SpawnStep::env_file, got);
    if (got == 0) break;
    text.size += static_cast<std::size_t>(got);
  }
  if (text.size == kMaxEnvFile) fail_spawn(SpawnStep::env_file, EFBIG);
  for (std::size_t i = 0; i < text.size; ++i) text.lines += text.data[i] == '\n' ? 1 : 0;
  sys::close(fd);
  return text;
}

// The memory for expanded lines, as large as the largest file.
class ExpandedLines {
 public:
  ExpandedLines() : room_(kMaxEnvFile), next_(static_cast<char*>(sys::map(kMaxEnvFile))) {
    if (next_ == nullptr) fail_spawn(SpawnStep::memory, ENOMEM);
  }
  char* add(const EnvLine& line, const Environment& environment) {
    const EnvLookup lookup{[](const void* context, const char* name, std::size_t size) {
                             return static_cast<const Environment*>(context)->find(name, size);
                           },
                           &environment};
    const std::size_t size = expand_env(line, lookup, next_, room_);
    if (size == kNoRoom) fail_spawn(SpawnStep::env_file, static_cast<long>(EnvFault::too_large), line.line);
    char* text = next_;
    next_ += size + 1;
    room_ -= size + 1;
    return text;
  }

 private:
  std::size_t room_;
  char* next_;
};

void set_file(Environment& environment, const FileText& file, bool expand) {
  EnvFileReader reader(file.data, file.size, expand);
  EnvLine line;
  const auto next = [&] {
    if (!reader.next(&line)) return false;
    if (line.fault != EnvFault::none) fail_spawn(SpawnStep::env_file, static_cast<long>(line.fault), line.line);
    return true;
  };
  if (!expand) {
    while (next()) environment.set(line.text);
    return;
  }
  ExpandedLines lines;
  while (next()) environment.set(lines.add(line, environment));
}

Environment make_environment(const LaunchFrame& launch) {
  FileText file;
  if (launch.env_file.size > 0) file = read_env_file(launch.env_file.data);
  Environment environment(launch.env_before.count + launch.env_after.count + file.lines);
  environment.set_all(launch.env_before);
  set_file(environment, file, launch.env_expand);
  environment.set_all(launch.env_after);
  return environment;
}

void apply_limits(const LaunchFrame& launch) {
  for (std::uint32_t i = 0; i < launch.limit_count; ++i) {
    const rlimit64 limit{launch.limits[i].soft, launch.limits[i].hard};
    check(sys::limits(launch.limits[i].resource, &limit, nullptr), SpawnStep::rlimit,
          launch.limits[i].resource);
  }
}

// Sets the hard limit too, or the service could raise its limit again. Never sets more than there is already.
void limit_address_space(std::uint64_t bytes) {
  rlimit64 limit{};
  if (bytes == 0 || sys::limits(RLIMIT_AS, nullptr, &limit) < 0) return;
  if (limit.rlim_cur <= bytes) return;
  limit.rlim_cur = bytes;
  if (limit.rlim_max > bytes) limit.rlim_max = bytes;
  check(sys::limits(RLIMIT_AS, &limit, nullptr), SpawnStep::rlimit, RLIMIT_AS);
}

void switch_user(const LaunchFrame& launch) {
  if (!launch.switch_user) return;
  std::uint32_t groups[kMaxGroups];
  __builtin_memcpy(groups, launch.groups, std::size_t{4} * launch.group_count);
  check(sys::set_groups(launch.group_count, groups), SpawnStep::user);
  check(sys::set_gids(launch.gid), SpawnStep::user);
  check(sys::set_uids(launch.uid), SpawnStep::user);
}

// Returns when another folder of PATH may help; else reports the failure and ends.
void try_to_run(const char* path, char** argv, char** env, bool* forbidden) {
  const long error = sys::execute(path, argv, env);
  if (error == -EACCES) {
    *forbidden = true;
  } else if (error == -ENOENT && sys::invoke(SYS_faccessat, AT_FDCWD, path, 0) == 0) {
    fail_spawn(SpawnStep::exec, ENOENT, 1);  // the file is there, but its interpreter is not
  } else if (error != -ENOENT && error != -ENOTDIR && error != -ENAMETOOLONG) {
    fail_spawn(SpawnStep::exec, error);
  }
}

[[noreturn]] void search_and_run(char** argv, Environment& environment) {
  const char* name = argv[0];
  bool forbidden = false;
  for (const char* at = name; *at != 0; ++at) {
    if (*at != '/') continue;
    try_to_run(name, argv, environment.texts(), &forbidden);
    fail_spawn(SpawnStep::exec, forbidden ? EACCES : ENOENT);
  }
  char candidate[kPathMost];
  const std::size_t name_size = size_of(name);
  for (const char* at = environment.path(); *at != 0;) {
    const char* end = at;
    while (*end != 0 && *end != ':') ++end;
    const auto size = static_cast<std::size_t>(end - at);
    // An empty folder would mean the working directory: never run what happens to lie there.
    if (size > 0 && size + name_size + 2 <= kPathMost) {
      __builtin_memcpy(candidate, at, size);
      candidate[size] = '/';
      __builtin_memcpy(candidate + size + 1, name, name_size + 1);
      try_to_run(candidate, argv, environment.texts(), &forbidden);
    }
    at = *end == 0 ? end : end + 1;
  }
  if (forbidden) fail_spawn(SpawnStep::exec, EACCES);
  fail_spawn(SpawnStep::search, ENOENT);
}

}  // namespace

void fail_spawn(SpawnStep step, long error, std::uint32_t detail) {
  const SpawnFailure failure{step, static_cast<std::int32_t>(error < 0 ? -error : error), detail};
  sys::write(kErrorPipeFd, &failure, sizeof failure);
  sys::exit(127);
}

void become_service(const LaunchFrame& launch, int shim) {
  check(sys::set_session(), SpawnStep::session);
  // Before the user changes: a file of secrets need not be readable by the service itself.
  Environment environment = make_environment(launch);
  apply_limits(launch);
  limit_address_space(launch.memory_limit);
  switch_user(launch);
  // Comes after the change of user, which would clear it: a killed shim takes its service along.
  check(sys::process_control(PR_SET_PDEATHSIG, SIGKILL), SpawnStep::session);
  if (sys::call(SYS_getppid) != shim) sys::exit(127);
  sys::set_umask(launch.umask);
  if (launch.no_new_privs) check(sys::process_control(PR_SET_NO_NEW_PRIVS, 1), SpawnStep::privileges);
  if (launch.cwd.size > 0) check(sys::change_dir(launch.cwd.data), SpawnStep::chdir);

  auto** argv = static_cast<char**>(sys::map((std::size_t{launch.argv.count} + 1) * sizeof(char*)));
  if (argv == nullptr) fail_spawn(SpawnStep::memory, ENOMEM);
  TextWalk walk(launch.argv);
  Text text;
  for (std::size_t i = 0; walk.next(&text); ++i) argv[i] = const_cast<char*>(text.data);

  // Dispositions are the default ones already: this program installs no handler.
  sys::block_signals(0);
  search_and_run(argv, environment);
}

}  // namespace azora::keeper
