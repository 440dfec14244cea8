#pragma once
// Which process holds which socket, by /proc. One search reads the descriptors of every process, so what it finds is
// kept for the next questions: a fleet whose ports were all taken costs one search, not one for each service. An
// answer that was kept is looked at again before it is given.
// Threads: one at a time; waits for the kernel alone. Fails: a process whose descriptors may not be read is passed over.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace azora::listeners {

class SocketHolders {
 public:
  // The process with the lowest number that holds this socket, or the first one that is `preferred`; nullopt: none is
  // known.
  std::optional<pid_t> find(std::uint64_t inode, const std::function<bool(pid_t)>& preferred);
  // Gives the memory back; the next question costs a search.
  void forget() { places_ = {}; }
  bool empty() const { return places_.empty(); }
  // Searches made so far, of all processes.
  std::uint64_t searches() const { return searches_; }

 private:
  struct Place {
    pid_t pid = 0;
    std::string descriptor;  // a path in /proc
  };
  void search();
  std::optional<pid_t> known(std::uint64_t inode, const std::function<bool(pid_t)>& preferred) const;

  std::unordered_map<std::uint64_t, std::vector<Place>> places_;  // by inode, as of the last search
  std::uint64_t searches_ = 0;
};

}  // namespace azora::listeners
