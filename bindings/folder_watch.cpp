// Tells an event loop which folders of log files have changed.
#include "folder_watch.hpp"

#include <pybind11/stl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "azora/base/fd.hpp"

namespace azora::bindings {
namespace {

constexpr std::uint32_t kNews = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF |
                                IN_MOVE_SELF | IN_ONLYDIR;

// The Python object `_core.FolderWatch`, one inotify descriptor for many folders: a user has few of them. Under the GIL.
class FolderWatch {
 public:
  FolderWatch() : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (!fd_) throw Failure(Error{ErrorCode::limit_reached, "this user has too many inotify instances (fs.inotify.max_user_instances)", {}});
  }
  ~FolderWatch() {
    // In a forked child the descriptor was closed, and the number may belong to another file by now.
    if (process_.forked()) new Fd(std::move(fd_));
  }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  int fileno() const { return fd_.get(); }

  // The number of the watch, the same for the same folder; nullopt: there is no such folder.
  std::optional<int> watch(const std::string& folder) {
    process_.check();
    const int number = ::inotify_add_watch(fd_.get(), folder.c_str(), kNews);
    if (number >= 0) return number;
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw Failure(Error{ErrorCode::limit_reached,
                        std::string("the folder cannot be watched: ") + std::strerror(errno) + " (fs.inotify.max_user_watches)",
                        {}});
  }
  void unwatch(int number) {
    process_.check();
    static_cast<void>(::inotify_rm_watch(fd_.get(), number));
  }

  // The numbers of the watches with news since the last call, whether each has ended with its folder, and whether files
  // have appeared in it.
  std::vector<std::tuple<int, bool, bool>> take() {
    process_.check();
    std::set<int> changed;
    std::set<int> appeared;
    std::set<int> ended;
    alignas(inotify_event) std::array<char, 16 * 1024> buffer{};
    for (ssize_t got = 0; (got = ::read(fd_.get(), buffer.data(), buffer.size())) > 0;) {
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        inotify_event event{};
        std::memcpy(&event, buffer.data() + at, sizeof event);
        changed.insert(event.wd);  // -1: news were lost, so there may be some of each
        if ((event.mask & IN_IGNORED) != 0) ended.insert(event.wd);
        if (event.wd < 0 || (event.mask & IN_CREATE) != 0) appeared.insert(event.wd);
        at += sizeof event + event.len;
      }
    }
    std::vector<std::tuple<int, bool, bool>> out;
    for (const int number : changed) out.emplace_back(number, ended.contains(number), appeared.contains(number));
    return out;
  }

 private:
  Fd fd_;
  OwningProcess process_;
};

}  // namespace

void bind_folder_watch(py::module_& module) {
  py::class_<FolderWatch>(module, "FolderWatch",
                          "Folders that are watched for changes. Once the descriptor is readable, take() returns\n"
                          "(number, ended, files appeared) of the watches with news; the number -1 stands for all.")
      .def(py::init<>())
      .def("fileno", &FolderWatch::fileno)
      .def("watch", &FolderWatch::watch, py::arg("folder"))
      .def("unwatch", &FolderWatch::unwatch, py::arg("number"))
      .def("take", &FolderWatch::take);
}

}  // namespace azora::bindings
