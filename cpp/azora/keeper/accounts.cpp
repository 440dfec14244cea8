#include "azora/keeper/accounts.hpp"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <utility>

#include "azora/keeper/protocol.hpp"

namespace azora::keeper {
namespace {

Error user_error(const std::string& user, const std::string& rest) {
  return spec_error({Fault{"process.user", "is \"" + user + "\"; " + rest}});
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// A name, or the number of a user who has an account.
Result<Account> find_account(const std::string& user) {
  std::vector<char> room(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  int error = 0;
  for (;;) {
    error = getpwnam_r(user.c_str(), &entry, room.data(), room.size(), &found);
    if (found == nullptr && error != ERANGE && is_number(user) && user.size() < 10) {
      error = getpwuid_r(static_cast<uid_t>(std::stoul(user)), &entry, room.data(), room.size(), &found);
    }
    if (error != ERANGE || room.size() > 1024 * 1024) break;
    room.resize(room.size() * 2);
  }
  if (found == nullptr) return user_error(user, "this machine has no such user; name one of its users or leave user out");
  return Account{entry.pw_name, entry.pw_dir, entry.pw_shell, entry.pw_uid, entry.pw_gid, {}};
}

std::vector<std::uint32_t> groups_of(const Account& account) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (getgrouplist(account.name.c_str(), account.gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    getgrouplist(account.name.c_str(), account.gid, groups.data(), &count);
  }
  groups.resize(static_cast<std::size_t>(count));
  return {groups.begin(), groups.end()};
}

}  // namespace

Result<std::optional<Account>> look_up_account(const std::string& user, uid_t own) {
  Result<Account> account = find_account(user);
  if (!account) return std::move(account).error();
  if (account.value().uid == own) return std::optional<Account>();
  if (own != 0) {
    return user_error(user, "only root may start services as another user; leave user out or run the orchestrator as root");
  }
  account.value().groups = groups_of(account.value());
  if (account.value().groups.size() > kMaxGroups) {
    return user_error(user, "it is in more than " + std::to_string(kMaxGroups) + " groups; use one with fewer");
  }
  return std::optional<Account>(std::move(account).value());
}

}  // namespace azora::keeper
