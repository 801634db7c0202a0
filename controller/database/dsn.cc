#include "controller/database/dsn.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>
#include <memory>
#include <string_view>

#include "common/base/text.h"

namespace headgate::database {
namespace {

constexpr std::array<std::string_view, 3> kSecretOptions = {"password", "sslpassword", "options"};

std::string OptionOr(const DsnOptions& options, const std::string& key,
                     const std::string& otherwise) {
  const auto found = options.find(key);
  return found == options.end() || found->second.empty() ? otherwise : found->second;
}

void ReplaceAll(std::string& text, const std::string& what, std::string_view with) {
  if (what.empty()) return;
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

absl::StatusOr<DsnOptions> ParseDsn(const std::string& dsn) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(dsn.c_str(), &error), &PQconninfoFree);
  if (error != nullptr) PQfreemem(error);
  if (parsed == nullptr) {
    return absl::InvalidArgumentError(
        "this is not a libpq connection string (it is not repeated here, because it may hold a "
        "password): write for example host=db1 port=5432 user=headgate dbname=shop");
  }
  DsnOptions options;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) options[option->keyword] = option->val;
  }
  for (const char* key : {"host", "hostaddr"}) {
    const auto found = options.find(key);
    if (found != options.end() && found->second.find(',') != std::string::npos) {
      return absl::InvalidArgumentError(fmt::format(
          "{}={} names several servers: declare each of them by itself", key, found->second));
    }
  }
  return options;
}

std::string FormatDsnForPeople(const std::string& dsn) {
  const absl::StatusOr<DsnOptions> options = ParseDsn(dsn);
  if (!options.ok()) return "(not a connection string)";
  const std::string service = OptionOr(*options, "service", "");
  const std::string host = OptionOr(
      *options, "host", OptionOr(*options, "hostaddr", service.empty() ? "localhost" : ""));
  std::string text = OptionOr(*options, "dbname", service.empty() ? "its default database" : "");
  if (!host.empty()) {
    text += fmt::format("{}at {}", text.empty() ? "" : " ", host);
    const std::string port = OptionOr(*options, "port", service.empty() ? "5432" : "");
    if (!port.empty()) text += fmt::format(":{}", port);
  }
  const std::string user = OptionOr(*options, "user", "");
  if (!user.empty()) text += fmt::format(" as {}", user);
  if (!service.empty()) text += fmt::format("{}service {}", text.empty() ? "" : ", ", service);
  return ScrubServerText(std::move(text), *options);
}

std::string ScrubServerText(std::string text, const DsnOptions& options) {
  for (std::string_view key : kSecretOptions) {
    const auto found = options.find(std::string(key));
    if (found != options.end()) ReplaceAll(text, found->second, "***");
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  for (char& letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code == 0x7F) letter = ' ';
  }
  text = ValidUtf8(text);
  return text.size() <= kServerTextMax ? text : CutUtf8(text, kServerTextMax) + "…";
}

}  // namespace headgate::database
