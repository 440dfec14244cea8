#pragma once
// Waits for what another process does to the files of a folder, with a deadline. Threads: the test's.
#include <sys/inotify.h>

#include <array>
#include <filesystem>
#include <functional>

#include "keeper/program_rig.hpp"

namespace azora::keeper {

class FileWatch {
 public:
  explicit FileWatch(const std::filesystem::path& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    ::inotify_add_watch(fd_.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_DELETE_SELF);
  }
  // False: it did not come true in time.
  bool until(const std::function<bool()>& done) {
    while (!done()) {
      if (!wait_readable(fd_.get())) return done();
      std::array<char, 4096> events;
      while (::read(fd_.get(), events.data(), events.size()) > 0) {}
    }
    return true;
  }

 private:
  TestFd fd_;
};

}  // namespace azora::keeper
