#include "azora/keeper/launch_frame.hpp"

#include "azora/keeper/frame_fields.hpp"

namespace azora::keeper {
namespace {

void put_text(Writer& frame, const std::string& text) { frame.text(text.data(), text.size()); }

void put_list(Writer& frame, const std::vector<std::string>& texts) {
  frame.u32(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) put_text(frame, text);
}

}  // namespace

std::vector<std::uint8_t> launch_frame(const LaunchRequest& launch, std::uint64_t request,
                                       std::uint64_t epoch) {
  if (launch.limits.size() > kMaxLimits || launch.groups.size() > kMaxGroups || launch.id.size() > kMaxServiceId) return {};
  std::vector<std::uint8_t> bytes(kMaxFrame);
  Writer frame(bytes.data(), bytes.size(), FrameType::launch, request, epoch);
  frame.u64(launch.serial);
  frame.u64(launch.incarnation);
  put_text(frame, launch.id);
  frame.u64(launch.spec_hash);
  put_list(frame, launch.argv);
  put_list(frame, launch.env_before);
  put_list(frame, launch.env_after);
  put_text(frame, launch.env_file);
  frame.u8(launch.env_expand ? 1 : 0);
  put_text(frame, launch.cwd);
  frame.u8(launch.switch_user ? 1 : 0);
  frame.u32(launch.uid);
  frame.u32(launch.gid);
  frame.u32(static_cast<std::uint32_t>(launch.groups.size()));
  for (const std::uint32_t group : launch.groups) frame.u32(group);
  frame.stop_order(launch.stop);
  frame.u32(launch.orphan_timeout_ms);
  frame.u64(launch.log_max_bytes);
  frame.u32(launch.log_files);
  frame.u32(launch.umask);
  frame.u8(launch.no_new_privs ? 1 : 0);
  frame.u64(launch.memory_limit);
  frame.u32(static_cast<std::uint32_t>(launch.limits.size()));
  for (const ResourceLimit& limit : launch.limits) {
    frame.u32(limit.resource);
    frame.u64(limit.soft);
    frame.u64(limit.hard);
  }
  bytes.resize(frame.finish());
  return bytes;
}

}  // namespace azora::keeper
