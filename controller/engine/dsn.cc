#include "controller/engine/dsn.h"

#include <algorithm>
#include <cstddef>

#include "common/base/connection_string.h"

namespace headgate::engine {
namespace {

constexpr std::size_t kDsnBytesMax = 1024;
constexpr std::string_view kPasswordRefused =
    "a password must not stand in a plan: write passfile=/path/to/.pgpass or service=NAME instead";
constexpr std::string_view kNotADsn =
    "this is not a libpq connection string: write for example 'host=db1 user=headgate dbname=shop'";

bool IsSecret(std::string_view keyword) {
  return keyword == "password" || keyword == "sslpassword" || keyword == "oauth_client_secret";
}

std::optional<std::string> FindUriProblem(std::string_view rest) {
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  const std::size_t at = authority.rfind('@');
  if (at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos) {
    return std::string(kPasswordRefused);
  }
  const std::size_t question = rest.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  std::string_view query = rest.substr(question + 1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const std::string_view keyword = pair.substr(0, pair.find('='));
    // libpq decodes %70assword; nobody writes that in good faith.
    if (IsSecret(keyword) || keyword.find('%') != std::string_view::npos) {
      return std::string(kPasswordRefused);
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FindDsnProblem(std::string_view dsn) {
  if (dsn.size() > kDsnBytesMax) {
    return "a connection string is at most 1024 bytes: use service=NAME";
  }
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (dsn.substr(0, scheme.size()) == scheme) return FindUriProblem(dsn.substr(scheme.size()));
  }
  const auto pairs = SplitConnectionString(dsn);
  if (!pairs.has_value() || pairs->empty()) return std::string(kNotADsn);
  for (const auto& [keyword, value] : *pairs) {
    if (IsSecret(keyword)) return std::string(kPasswordRefused);
  }
  return std::nullopt;
}

}  // namespace headgate::engine
