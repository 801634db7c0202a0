#include "controller/database/maria_grants.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string_view>

namespace headgate::database {
namespace {

constexpr const char* kEverything = "*.*";

// "GRANT SELECT, SHOW VIEW ON `shop`.* TO …" adds both to `shop`.*'s. Grants on single tables and
// of roles do not count: those of the role in force stand on lines of their own.
void AddGrant(std::string_view line, std::map<std::string, std::set<std::string>>& granted) {
  constexpr std::string_view kGrant = "GRANT ";
  const std::size_t on = line.find(" ON ");
  if (line.substr(0, kGrant.size()) != kGrant || on == std::string_view::npos) return;
  const std::string_view after = line.substr(on + 4);
  const std::string_view object = after.substr(0, after.find(" TO "));
  if (object.size() < 3 || object.substr(object.size() - 2) != ".*") return;
  std::set<std::string>& privileges = granted[std::string(object)];
  std::string_view list = line.substr(kGrant.size(), on - kGrant.size());
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(", "), list.size());
    privileges.insert(std::string(list.substr(0, end)));
    list.remove_prefix(std::min(end + 2, list.size()));
  }
}

// 'headgate'@'%' of "GRANT … TO `headgate`@`%` …".
std::string AccountIn(const std::string& line) {
  const std::size_t to = line.find(" TO `");
  if (to == std::string::npos) return "";
  const std::size_t end = line.find(' ', to + 4);
  std::string account = line.substr(to + 4, end == std::string::npos ? end : end - to - 4);
  for (char& letter : account) {
    if (letter == '`') letter = '\'';
  }
  return account.find('@') == std::string::npos ? "" : account;
}

// A name in a grant may be a pattern, with \_ for a plain underscore.
std::string QuotedPattern(const std::string& schema) {
  std::string quoted = "`";
  for (const char letter : schema) {
    if (letter == '_' || letter == '%') quoted += '\\';
    quoted += letter;
  }
  return quoted + "`.*";
}

}  // namespace

std::string MissingGrants(const Rows& grants, const std::vector<std::string>& schemas,
                          const std::vector<std::string_view>& needed) {
  std::map<std::string, std::set<std::string>> granted;
  std::string account;
  for (const Row& row : grants) {
    const std::string line = row.empty() ? "" : row[0].value_or("");
    AddGrant(line, granted);
    if (account.empty()) account = AccountIn(line);
  }
  const auto has = [&](const std::string& object, std::string_view privilege) {
    const auto found = granted.find(object);
    return found != granted.end() && (found->second.contains("ALL PRIVILEGES") ||
                                      found->second.contains(std::string(privilege)));
  };
  std::string missing;
  for (const std::string_view privilege : needed) {
    bool is_granted = has(kEverything, privilege);
    if (!is_granted && !schemas.empty()) {
      is_granted = true;
      for (const std::string& schema : schemas) {
        is_granted = is_granted && (has(fmt::format("`{}`.*", schema), privilege) ||
                                    has(QuotedPattern(schema), privilege));
      }
    }
    if (!is_granted) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", privilege);
  }
  if (missing.empty()) return "";
  return fmt::format("GRANT {} ON *.* TO {}", missing, account.empty() ? "it" : account);
}

std::string MariaAccount(const std::string& user) {
  const std::size_t at = user.rfind('@');
  if (at == std::string::npos) return user;
  return fmt::format("'{}'@'{}'", user.substr(0, at), user.substr(at + 1));
}

}  // namespace headgate::database
