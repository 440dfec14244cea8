#pragma once
// Users of this machine by name or number, as its directories know them (NSS: files, LDAP and so on).
// Threads: one that may wait while a directory hangs, so never az-keeper. No state.
// Fails: with invalid_spec in words "process.user: value, rule, what to do".
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "azora/base/result.hpp"

namespace azora::keeper {

struct Account {
  std::string name;
  std::string home;
  std::string shell;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<std::uint32_t> groups;
};

// The account to switch to for process.user; nullopt: it is `own`, and no switch or right to it is needed.
using AccountLookup = std::function<Result<std::optional<Account>>(const std::string& user, uid_t own)>;
Result<std::optional<Account>> look_up_account(const std::string& user, uid_t own);

}  // namespace azora::keeper
