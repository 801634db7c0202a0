#include "agents/endpoint/question.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace headgate::endpoint {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view Last(const Headers& headers, std::string_view name) {
  const std::vector<std::string_view> all = headers.All(name);
  return all.empty() ? std::string_view() : Trimmed(all.back());
}

// A header that the load balancer sets is there once: of two, one is somebody else's.
std::string_view Only(const Headers& headers, std::string_view name) {
  const std::vector<std::string_view> all = headers.All(name);
  return all.size() == 1 ? Trimmed(all.front()) : std::string_view();
}

bool ContainsWord(std::string_view text, std::string_view word) {
  return std::search(text.begin(), text.end(), word.begin(), word.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         }) != text.end();
}

// "/a" of "/a?b" and of "https://shop.example/a?b".
std::string_view PathOf(std::string_view uri) {
  if (const std::size_t scheme = uri.find("://"); scheme < uri.find('/')) {
    const std::size_t path = uri.find('/', scheme + 3);
    uri = path == std::string_view::npos ? "/" : uri.substr(path);
  }
  return uri.substr(0, uri.find_first_of("?#"));
}

std::string ToLower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

struct Original {
  std::string_view method;
  std::string_view uri;
  bool is_secure = false;
};

Original OriginalOf(const Asked& asked, const Headers& headers) {
  const bool is_secure = Last(headers, "x-forwarded-proto") == "https";
  switch (asked.dialect) {
    case Dialect::kForward:
      return {Only(headers, "x-forwarded-method"), Only(headers, "x-forwarded-uri"), is_secure};
    case Dialect::kNginx: {
      const std::string_view url = Only(headers, "x-original-url");
      return {Only(headers, "x-original-method"), url, url.starts_with("https://")};
    }
    case Dialect::kEnvoy:
      return {asked.method, asked.target, is_secure};
  }
  return {};
}

bool IsNavigation(std::string_view method, const Headers& headers) {
  if (method != "GET") return false;
  const std::vector<std::string_view> mode = headers.All("sec-fetch-mode");
  if (!mode.empty()) return Trimmed(mode.back()) == "navigate";
  return ContainsWord(Last(headers, "accept"), "text/html");
}

bool WantsProblem(const Headers& headers) {
  const std::string_view accept = Last(headers, "accept");
  const bool wants_json =
      ContainsWord(accept, "application/json") || ContainsWord(accept, "application/problem+json");
  return wants_json && !ContainsWord(accept, "text/html");
}

bool AnyContains(const std::vector<Network>& networks, const Address& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.Contains(address); });
}

std::string KeyOf(const Rules& rules, const std::optional<Address>& client,
                  const Headers& headers) {
  switch (rules.key.kind) {
    case agent::UserKey::Kind::kCookie:
      return std::string(CookieOf(headers, rules.key.name));
    case agent::UserKey::Kind::kHeader:
      return std::string(Last(headers, ToLower(rules.key.name)));
    case agent::UserKey::Kind::kClientAddress:
      return client ? ToString(*client) : "";
  }
  return "";
}

}  // namespace

absl::StatusOr<Rules> MakeRules(const agent::UserKey& key, const std::vector<std::string>& bypass,
                                const std::vector<std::string>& trusted_proxies) {
  Rules rules{.key = key};
  const auto parsed = agent::ParseBypasses(bypass);
  if (!parsed.ok()) return parsed.status();
  for (const agent::Bypass& rule : *parsed) {
    if (rule.kind == agent::Bypass::Kind::kPath) {
      rules.paths.push_back(rule.text);
    } else if (const auto network = Network::Parse(rule.text)) {
      rules.networks.push_back(*network);
    }
  }
  for (const std::string& text : trusted_proxies) {
    const auto network = Network::Parse(text);
    if (!network) {
      return absl::InvalidArgumentError(
          fmt::format("trusted_proxies '{}' is no address: write 10.0.0.0/8 or 10.0.0.7", text));
    }
    rules.trusted_proxies.push_back(*network);
  }
  return rules;
}

std::string_view CookieOf(const Headers& headers, std::string_view name) {
  std::string_view found;
  for (std::string_view rest : headers.All("cookie")) {
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view pair = Trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const bool is_it =
          pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=';
      if (is_it) found = pair.substr(name.size() + 1);
    }
  }
  return found;
}

std::optional<Address> ClientOf(const Rules& rules, const Asked& asked, const Headers& headers) {
  std::optional<Address> nearest;
  if (!asked.peer.empty()) {
    nearest = ParseAddress(asked.peer);
    if (!nearest || !AnyContains(rules.trusted_proxies, *nearest)) return nearest;
  }
  std::vector<std::string_view> lines = headers.All("x-forwarded-for");
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    std::string_view rest = *line;
    while (!rest.empty()) {
      const std::size_t comma = rest.rfind(',');
      const std::size_t from = comma == std::string_view::npos ? 0 : comma + 1;
      nearest = ParseAddress(Trimmed(rest.substr(from)));
      if (!nearest || !AnyContains(rules.trusted_proxies, *nearest)) return nearest;
      rest = rest.substr(0, comma == std::string_view::npos ? 0 : comma);
    }
  }
  return nearest;
}

std::string ToString(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (IsV4(address)) {
    inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
  }
  return text;
}

Question ReadQuestion(const Rules& rules, const Asked& asked, const Headers& headers) {
  const Original original = OriginalOf(asked, headers);
  const std::optional<Address> client = ClientOf(rules, asked, headers);
  const std::string_view path = PathOf(original.uri);
  Question question;
  question.key = KeyOf(rules, client, headers);
  question.client = client;
  question.is_bypassed =
      std::find(rules.paths.begin(), rules.paths.end(), path) != rules.paths.end() ||
      (client && AnyContains(rules.networks, *client));
  question.is_navigation = IsNavigation(original.method, headers);
  question.is_secure = original.is_secure;
  question.wants_problem = WantsProblem(headers);
  if (asked.dialect == Dialect::kNginx) {
    std::string_view keeps = Only(headers, "x-headgate-keeps");
    question.keeps_answers = keeps.starts_with(kKeepsWord);
    if (question.keeps_answers) keeps.remove_prefix(sizeof kKeepsWord - 1);
    if (question.keeps_answers) question.kept_tag = keeps;
    question.kept_as = Only(headers, "x-headgate-keeps-as");
  }
  question.accept_language = std::string(Last(headers, "accept-language"));
  return question;
}

}  // namespace headgate::endpoint
