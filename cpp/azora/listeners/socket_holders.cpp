#include "azora/listeners/socket_holders.hpp"

#include "azora/listeners/processes.hpp"

namespace azora::listeners {

std::optional<pid_t> SocketHolders::find(std::uint64_t inode, const std::function<bool(pid_t)>& preferred) {
  if (inode == 0) return std::nullopt;
  if (const std::optional<pid_t> pid = known(inode, preferred)) return pid;
  search();
  return known(inode, preferred);
}

void SocketHolders::search() {
  ++searches_;
  places_.clear();
  for (const pid_t pid : all_processes()) {
    for_each_socket(pid, [&](std::uint64_t inode, const std::string& descriptor) {
      std::vector<Place>& places = places_[inode];
      if (places.empty() || places.back().pid != pid) places.push_back({pid, descriptor});
    });
  }
}

std::optional<pid_t> SocketHolders::known(std::uint64_t inode, const std::function<bool(pid_t)>& preferred) const {
  const auto found = places_.find(inode);
  if (found == places_.end()) return std::nullopt;
  std::optional<pid_t> first;
  for (const Place& place : found->second) {
    if (read_link(place.descriptor) != socket_link(inode)) continue;
    if (preferred(place.pid)) return place.pid;
    if (!first) first = place.pid;
  }
  return first;
}

}  // namespace azora::listeners
