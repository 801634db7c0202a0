#include "agents/main/endpoint_config.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "agents/core/files.h"
#include "agents/core/snippet_words.h"

namespace headgate::agent {
namespace {

constexpr std::size_t kTrustedProxiesMax = 64;
constexpr unsigned kModeMax = 0777;
constexpr unsigned kNewCookiesMax = 1'000'000;

std::string Words(const absl::Status& status) { return std::string(status.message()); }

// What must be said, for there is no share that is right for everybody.
Share ReadBootstrapShare(YamlMapping& mapping) {
  if (!mapping.Has("bootstrap_share")) {
    mapping.errors().Add(
        mapping.node(),
        fmt::format(
            "'{}' is missing: what may be admitted at a start without a share file, as when "
            "its disk is lost? There is no default: write 'bootstrap_share: 0%' (nobody until "
            "a directive comes) or 'bootstrap_share: 100%' (everybody, as before Headgate)",
            mapping.Name("bootstrap_share")));
    return Share::None();
  }
  const auto share = Share::Parse(mapping.Text("bootstrap_share"));
  if (share.ok()) return *share;
  mapping.errors().Add(
      mapping.Find("bootstrap_share"),
      fmt::format("'{}': {}", mapping.Name("bootstrap_share"), Words(share.status())));
  return Share::None();
}

std::optional<endpoint::Listen> ReadListen(YamlMapping& mapping, const std::string& key) {
  if (!mapping.Has(key)) return std::nullopt;
  auto listen = endpoint::ParseListen(mapping.Name(key), mapping.Text(key));
  if (listen.ok()) return *std::move(listen);
  mapping.errors().Add(mapping.Find(key), Words(listen.status()));
  return std::nullopt;
}

unsigned ReadMode(YamlMapping& mapping) {
  endpoint::Settings defaults;
  if (!mapping.Has("mode")) return defaults.mode;
  const std::string text = mapping.Text("mode");
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  const bool is_mode = error == std::errc() && end == text.data() + text.size() && mode <= kModeMax;
  if (is_mode) return mode;
  mapping.errors().Add(
      mapping.Find("mode"),
      fmt::format("'{}' is '{}': write an octal mode, as in 0660", mapping.Name("mode"), text));
  return defaults.mode;
}

unsigned ReadNewCookies(YamlMapping& mapping) {
  endpoint::Settings defaults;
  constexpr char kKey[] = "new_cookies_per_minute";
  if (!mapping.Has(kKey)) return defaults.new_cookies_per_minute;
  const std::string text = mapping.Text(kKey);
  unsigned count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool fits =
      error == std::errc() && end == text.data() + text.size() && count <= kNewCookiesMax;
  if (fits) return count;
  mapping.errors().Add(
      mapping.Find(kKey),
      fmt::format("'{}' is '{}': write how many new cookies one address gets, 1 to {}, or 0: as "
                  "many as it asks for",
                  mapping.Name(kKey), text, kNewCookiesMax));
  return defaults.new_cookies_per_minute;
}

std::vector<std::string> ReadWords(YamlMapping& mapping, const std::string& key, std::size_t max) {
  std::vector<std::string> words;
  for (const YAML::Node& item : mapping.List(key, max)) {
    if (item.IsScalar()) {
      words.push_back(item.Scalar());
    } else {
      mapping.errors().Add(item, fmt::format("'{}' is a list of words", mapping.Name(key)));
    }
  }
  return words;
}

// A file, or one for each language.
WaitPages ReadPages(YamlMapping& mapping) {
  const std::string fallback =
      mapping.Has("language") ? mapping.Text("language") : std::string(kLanguageDefault);
  std::vector<std::string> files;
  const YAML::Node page = mapping.Find("page");
  if (page.IsDefined() && page.IsMap()) {
    for (const auto& entry : page) {
      const std::string file = entry.second.IsScalar() ? entry.second.Scalar() : "";
      files.push_back(fmt::format("{}={}", entry.first.Scalar(), file));
    }
  } else if (page.IsDefined()) {
    files.push_back(fmt::format("{}={}", fallback, mapping.Text("page")));
  }
  auto pages = WaitPages::Load(files, fallback);
  if (pages.ok()) return *std::move(pages);
  mapping.errors().Add(page.IsDefined() ? page : mapping.Find("language"),
                       fmt::format("'{}': {}", mapping.Name("page"), Words(pages.status())));
  return {};
}

// What cannot be counted, nothing may be judged by.
void CheckSlow(YamlMapping& mapping, const endpoint::Settings& settings) {
  if (settings.slow_ms.empty() || settings.access_log) return;
  mapping.errors().Add(
      mapping.Find("slow"),
      fmt::format(
          "'{}' needs '{}': without the load balancer's access log the agent does not see how "
          "users are answered: write 'access_log: 127.0.0.1:9103', or leave 'slow' out",
          mapping.Name("slow"), mapping.Name("access_log")));
}

}  // namespace

endpoint::Settings ReadEndpoint(
    YamlMapping& parent, const std::string& gate,
    const std::function<UserKey(YamlMapping&)>& read_key,
    const std::function<std::vector<std::uint32_t>(YamlMapping&)>& read_slow) {
  YamlMapping mapping(parent.Find("endpoint"), parent.Name("endpoint"), parent.errors(),
                      {"listen", "mode", "group", "ext_authz", "share", "bootstrap_share", "key",
                       "bypass", "trusted_proxies", "access_log", "slow", "remembered", "page",
                       "language", "new_cookies_per_minute"});
  endpoint::Settings settings;
  settings.gate = gate;
  mapping.RequiredText("listen");
  settings.listen = ReadListen(mapping, "listen").value_or(endpoint::Listen());
  settings.mode = ReadMode(mapping);
  settings.group = mapping.Text("group");
  settings.ext_authz = ReadListen(mapping, "ext_authz");
  settings.share = mapping.RequiredPath("share");
  settings.bootstrap_share = ReadBootstrapShare(mapping);
  settings.key = read_key(mapping);
  settings.bypass = ReadWords(mapping, "bypass", kBypassesMax);
  settings.trusted_proxies = ReadWords(mapping, "trusted_proxies", kTrustedProxiesMax);
  settings.access_log = ReadListen(mapping, "access_log");
  if (settings.access_log && settings.access_log->is_unix()) {
    mapping.errors().Add(mapping.Find("access_log"),
                         fmt::format("'{}': write 127.0.0.1:9103: to a Unix socket nginx would not "
                                     "find back after a restart of the agent",
                                     mapping.Name("access_log")));
  }
  settings.slow_ms = read_slow(mapping);
  CheckSlow(mapping, settings);
  settings.remembered = mapping.Path("remembered");
  settings.pages = ReadPages(mapping);
  settings.new_cookies_per_minute = ReadNewCookies(mapping);
  const auto rules = endpoint::MakeRules(settings.key, settings.bypass, settings.trusted_proxies);
  if (!rules.ok()) mapping.errors().Add(mapping.node(), Words(rules.status()));
  return settings;
}

}  // namespace headgate::agent
