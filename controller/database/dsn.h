// libpq connection strings (`host=db1 user=headgate dbname=shop` or `postgresql://…`), read so that
// they can be completed, and shown without what must stay secret. Pure; any thread.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace headgate::database {

// The options that the string gives, by libpq's keywords.
using DsnOptions = std::map<std::string, std::string>;

// INVALID_ARGUMENT never repeats the string: what cannot be parsed may be a password. A string that
// names several hosts is refused too: a declared server is one server.
absl::StatusOr<DsnOptions> ParseDsn(const std::string& dsn);

// "shop at db1:5432 as headgate". Only host, port, database, user and service are ever shown.
std::string FormatDsnForPeople(const std::string& dsn);

// `text`, which a server or libpq wrote, fit to be shown: the secrets of `options` replaced by
// "***", one line, no control characters, at most kServerTextMax bytes.
inline constexpr std::size_t kServerTextMax = 400;
std::string ScrubServerText(std::string text, const DsnOptions& options);

}  // namespace headgate::database
