#include "agents/haproxy/snippet.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "agents/haproxy/haproxy.h"
#include "agents/haproxy/map_file.h"
#include "agents/haproxy/prober.h"

namespace headgate::haproxy {
namespace {

// {retry} becomes HAProxy's own variable; a percent sign is written twice for its log format.
constexpr char kPage[] =
    R"(<!doctype html><html lang="en"><head><meta charset="utf-8">)"
    R"(<meta name="viewport" content="width=device-width,initial-scale=1">)"
    R"(<meta http-equiv="refresh" content="{retry}"><title>Back in a moment</title>)"
    R"(<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;)"
    R"(padding:0 1.5rem;color:#222;background:#fff}}h1{{font-size:1.5rem}})"
    R"(@media(prefers-color-scheme:dark){{body{{color:#ddd;background:#161616}}}}</style></head>)"
    R"(<body><h1>We are letting people back in, step by step</h1>)"
    R"(<p>Your place is kept: leave this page open. It looks again by itself in {retry} seconds, )"
    R"(and pressing reload does not get you in sooner.</p></body></html>)";

constexpr char kProblem[] =
    R"({{"type":"about:blank","title":"Not admitted yet","status":503,)"
    R"("detail":"The service readmits users step by step. Try again after Retry-After.",)"
    R"("retry_after_s":{retry}}})";

bool IsPlain(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/' || c == ':' || c == '~' || c == '@' || c == '+';
  });
}

bool IsNetwork(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  unsigned char bytes[sizeof(in6_addr)];
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), bytes) == 1;
  const bool is_v6 = !is_v4 && inet_pton(AF_INET6, address.c_str(), bytes) == 1;
  if (!is_v4 && !is_v6) return false;
  if (slash == std::string::npos) return true;
  const std::string bits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), length);
  // A length of 0 is everybody, and a gate that lets everybody through is none.
  return error == std::errc() && end == bits.data() + bits.size() && length >= 1 &&
         length <= (is_v4 ? 32U : 128U);
}

absl::StatusOr<std::string> BypassCondition(const std::string& bypass) {
  if (bypass.rfind("path=/", 0) == 0 && IsPlain(bypass.substr(5)))
    return "path " + bypass.substr(5);
  if (bypass.rfind("cidr=", 0) == 0 && IsNetwork(bypass.substr(5)))
    return "src " + bypass.substr(5);
  return absl::InvalidArgumentError(
      fmt::format("--bypass '{}' is neither: write path=/healthz or cidr=203.0.113.0/24 (a prefix "
                  "of at least 1 bit: /0 would let everybody through)",
                  bypass));
}

class Writer {
 public:
  explicit Writer(const SnippetOptions& options) : options_(options) {
    std::string word = options.gate;
    std::replace(word.begin(), word.end(), '-', '_');
    name_ = "headgate_" + word;
    retry_ = fmt::format("%[{}]", Var("retry"));
  }

  std::string Global() const;
  absl::StatusOr<std::string> Frontend() const;
  std::string WaitBackend() const;

 private:
  std::string Slot(const char* variable) const { return fmt::format("txn.{}_{}", name_, variable); }
  std::string Var(const char* variable) const { return fmt::format("var({})", Slot(variable)); }
  std::string Set(const char* variable) const {
    return fmt::format("http-request set-var({})", Slot(variable));
  }
  std::string Key() const;
  std::string Verdict() const;
  absl::StatusOr<std::string> Bypass() const;
  std::string Cookie() const;
  std::string Slow() const;

  const SnippetOptions& options_;
  std::string name_;
  std::string retry_;
};

std::string Writer::Global() const {
  return fmt::format(
      "# Gate '{0}', made by headgate-agent {1}. Three parts to paste, each where it says.\n"
      "#\n"
      "# Before the first start or reload, make the map; it admits everybody until the gate "
      "exists:\n"
      "#   headgate-agent snippet haproxy --gate {0} … --write-map\n"
      "#\n"
      "# 1. In the section `global`. hard-stop-after bounds how long an old worker with an old\n"
      "#    share lives on after a reload.\n"
      "#\n"
      "#    stats socket {2} mode 660 level admin\n"
      "#    hard-stop-after 30s\n"
      "\n",
      options_.gate, HEADGATE_VERSION, options_.socket);
}

// set-var first, then tests: an ACL on req.cook would test every duplicate of the cookie.
std::string Writer::Key() const {
  switch (options_.key.kind) {
    case UserKey::Kind::kCookie:
      return fmt::format("    {} req.cook({})\n", Set("key"), options_.key.name);
    case UserKey::Kind::kHeader:
      return fmt::format("    {} req.fhdr({})\n", Set("key"), options_.key.name);
    case UserKey::Kind::kClientAddress:
      return fmt::format(
          "    http-request set-var-fmt({}) %[src]\n"
          "    {} req.fhdr({}) if {{ path {} }}\n",
          Slot("key"), Set("key"), kProbeKeyHeader, options_.probe_path);
  }
  return "";
}

// HAProxy's xxh64 is signed: and() masks it; mod would give negative buckets for half of the keys.
std::string Writer::Verdict() const {
  const std::string answer = fmt::format(
      "content-type text/plain hdr {} {} hdr Cache-Control no-store "
      "lf-string \"bucket=%[{}] width=%[{}] slow={}\\n\" if {{ path {} }}",
      kGateHeader, options_.gate, Var("bucket"), Var("width"), fmt::join(options_.slow_ms, ","),
      options_.probe_path);
  return fmt::format(
      "    {bucket} {key},xxh64(0),and(1048575) if {{ {key} -m len gt 0 }}\n"
      "    {width} str({entry}),map_str_int({map},0)\n"
      "    acl {name}_admitted {b},sub({w}) -m int lt 0\n"
      "    acl {name}_admitted {wv} -m int ge 1048576\n"
      "    http-request return status 200 {answer} {name}_admitted\n"
      "    http-request return status 503 {answer}\n",
      fmt::arg("bucket", Set("bucket")), fmt::arg("key", Var("key")),
      fmt::arg("width", Set("width")), fmt::arg("entry", kWidthEntry),
      fmt::arg("map", options_.map), fmt::arg("name", name_), fmt::arg("b", Var("bucket")),
      fmt::arg("w", Slot("width")), fmt::arg("wv", Var("width")), fmt::arg("answer", answer));
}

absl::StatusOr<std::string> Writer::Bypass() const {
  std::string text;
  for (const std::string& bypass : options_.bypass) {
    const absl::StatusOr<std::string> condition = BypassCondition(bypass);
    if (!condition.ok()) return condition.status();
    text += fmt::format("    {} bool(true) if {{ {} }}\n", Set("bypass"), *condition);
  }
  // A variable and not the conditions themselves: an answer has no path any more.
  text += fmt::format("    acl {}_bypass {} -m bool\n", name_, Var("bypass"));
  if (options_.bypass.empty()) return text;
  return text + fmt::format(
                    "    http-request track-sc{1} int(1) table {2} if {0}_bypass\n"
                    "    http-request sc-inc-gpc({3},{1}) if {0}_bypass\n"
                    "    http-response sc-inc-gpc({4},{1}) if {0}_bypass {{ status 500:599 }}\n",
                    name_, options_.track_slot, WaitBackendOf(options_.gate),
                    Haproxy::kBypassedCount, Haproxy::kBypassed5xxCount);
}

// On navigations only: a cookie for an image or a script would belong to nobody's page.
std::string Writer::Cookie() const {
  if (options_.key.kind != UserKey::Kind::kCookie) return "";
  return fmt::format(
      "    acl {name}_navigates req.fhdr(sec-fetch-mode) -m str navigate\n"
      "    acl {name}_fetches req.fhdr(sec-fetch-mode) -m found\n"
      "    acl {name}_wants_html req.fhdr(accept) -m sub -i text/html\n"
      "    {nav} bool(true) if METH_GET {name}_navigates || METH_GET !{name}_fetches "
      "{name}_wants_html\n"
      "    {give} bool(true) if {{ {navv} -m bool }} !{{ {key} -m len gt 0 }} !{name}_bypass\n"
      "    {secure} str(\"; Secure\") if {{ ssl_fc }}\n"
      "    http-after-response add-header Set-Cookie \"{cookie}=%[uuid()]; Path=/; "
      "Max-Age=31536000; SameSite=Lax; HttpOnly%[{securev}]\" if {{ {givev} -m bool }}\n"
      "    http-after-response set-header Cache-Control private if {{ {givev} -m bool }} "
      "!{{ res.fhdr(cache-control) -m sub -i private no-store }}\n",
      fmt::arg("name", name_), fmt::arg("nav", Set("nav")), fmt::arg("navv", Var("nav")),
      fmt::arg("give", Set("give")), fmt::arg("givev", Var("give")), fmt::arg("key", Var("key")),
      fmt::arg("secure", Set("secure")), fmt::arg("securev", Var("secure")),
      fmt::arg("cookie", options_.key.name));
}

// The table is touched by slow answers only: a stick table that counts every answer costs a fifth
// of HAProxy's CPU.
std::string Writer::Slow() const {
  if (options_.slow_ms.empty()) return "";
  std::string text = fmt::format(
      "    http-response set-var({ms}) date(0,ms),sub({start})\n"
      "    http-response track-sc{slot} int(1) table {table} if {{ {msv} -m int ge {first} }} "
      "!{name}_bypass\n",
      fmt::arg("ms", Slot("ms")), fmt::arg("start", Slot("start")),
      fmt::arg("slot", options_.track_slot), fmt::arg("table", WaitBackendOf(options_.gate)),
      fmt::arg("msv", Var("ms")), fmt::arg("first", options_.slow_ms.front()),
      fmt::arg("name", name_));
  for (std::size_t i = 0; i < options_.slow_ms.size(); ++i) {
    text += fmt::format("    http-response sc-inc-gpc({},{}) if {{ {} -m int ge {} }} !{}_bypass\n",
                        Haproxy::kSlowCounts + i, options_.track_slot, Var("ms"),
                        options_.slow_ms[i], name_);
  }
  return text;
}

absl::StatusOr<std::string> Writer::Frontend() const {
  const absl::StatusOr<std::string> bypass = Bypass();
  if (!bypass.ok()) return bypass.status();
  return fmt::format(
      "    # 2. In the frontend, above every other rule of it. A user's key, its bucket, the\n"
      "    #    width of the share, and the verdict.\n"
      "{start}{key}{verdict}{bypass}{cookie}{slow}"
      "    use_backend {wait} if !{name}_admitted !{name}_bypass || {{ path {probe}{suffix} }}\n"
      "    # Below this line: what was there before, which sends people to '{app}'.\n"
      "\n",
      fmt::arg("start",
               options_.slow_ms.empty() ? "" : fmt::format("    {} date(0,ms)\n", Set("start"))),
      fmt::arg("key", Key()), fmt::arg("verdict", Verdict()), fmt::arg("bypass", *bypass),
      fmt::arg("cookie", Cookie()), fmt::arg("slow", Slow()),
      fmt::arg("wait", WaitBackendOf(options_.gate)), fmt::arg("name", name_),
      fmt::arg("probe", options_.probe_path), fmt::arg("suffix", kWaitProbeSuffix),
      fmt::arg("app", options_.app_backend));
}

std::string Writer::WaitBackend() const {
  const std::string page =
      options_.page_file.empty()
          ? fmt::format("lf-string '{}'", fmt::format(kPage, fmt::arg("retry", retry_)))
          : fmt::format("lf-file {}", options_.page_file);
  return fmt::format(
      "# 3. A backend of its own: the waiting page, and the table that counts what is slow or\n"
      "#    bypassed. Retry-After is spread by half of itself, so that people do not come back as\n"
      "#    one.\n"
      "backend {wait}\n"
      "    mode http\n"
      "    stick-table type integer size 16 store gpc({places})\n"
      "    http-request set-var({base}) str({entry}),map_str_int({map},10)\n"
      "    http-request set-var({retry_slot}) rand(1024),mul({base}),div(2048),add({base})\n"
      "    acl wants_json req.fhdr(accept) -m sub -i application/json application/problem+json\n"
      "    acl wants_html req.fhdr(accept) -m sub -i text/html\n"
      "    http-request return status 503 content-type application/problem+json "
      "hdr Retry-After {retry} hdr Cache-Control no-store hdr {gate_header} {gate} "
      "lf-string '{problem}' "
      "if wants_json !wants_html\n"
      "    http-request return status 503 content-type \"text/html; charset=utf-8\" "
      "hdr Retry-After {retry} hdr Cache-Control no-store hdr {gate_header} {gate} {page}\n",
      fmt::arg("wait", WaitBackendOf(options_.gate)),
      fmt::arg("places", Haproxy::kSlowCounts + options_.slow_ms.size()),
      fmt::arg("base", Slot("base")), fmt::arg("retry_slot", Slot("retry")),
      fmt::arg("entry", kRetryAfterEntry), fmt::arg("map", options_.map), fmt::arg("retry", retry_),
      fmt::arg("page", page), fmt::arg("gate_header", kGateHeader), fmt::arg("gate", options_.gate),
      fmt::arg("problem", fmt::format(kProblem, fmt::arg("retry", retry_))));
}

absl::Status Check(const SnippetOptions& options) {
  if (absl::Status status = CheckGateName(options.gate); !status.ok()) return status;
  const std::pair<const char*, const std::string&> words[] = {
      {"--app-backend", options.app_backend},
      {"--map", options.map},
      {"--socket", options.socket},
      {"--probe-path", options.probe_path}};
  for (const auto& [what, word] : words) {
    if (absl::Status status = CheckPlainWord(what, word); !status.ok()) return status;
  }
  if (!options.page_file.empty()) {
    if (absl::Status status = CheckPlainWord("--page", options.page_file); !status.ok()) {
      return status;
    }
  }
  if (options.slow_ms.size() > Haproxy::kSlowThresholdsMax) {
    return absl::InvalidArgumentError(fmt::format("{} thresholds of slow answers: at most {}",
                                                  options.slow_ms.size(),
                                                  Haproxy::kSlowThresholdsMax));
  }
  if (options.bypass.size() > kBypassesMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} bypass rules: at most {}", options.bypass.size(), kBypassesMax));
  }
  if (options.track_slot < 0 || options.track_slot > 2) {
    return absl::InvalidArgumentError(
        fmt::format("--track-slot {} is no slot of HAProxy's: 0 to 2", options.track_slot));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckGateName(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= kGateNameBytesMax && name.front() >= 'a' &&
                    name.front() <= 'z' && std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
                    });
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no gate's name: 1 to {} characters of [a-z0-9-], starting with a "
                  "letter, as in 'shop'",
                  name, kGateNameBytesMax));
}

absl::Status CheckPlainWord(const std::string& what, const std::string& word) {
  if (IsPlain(word)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} '{}': write letters, digits and -_./:~@+ only, because HAProxy's "
                  "configuration and socket "
                  "read others in their own way",
                  what, word));
}

std::string WaitBackendOf(const std::string& gate) {
  std::string word = gate;
  std::replace(word.begin(), word.end(), '-', '_');
  return fmt::format("headgate_{}_wait", word);
}

absl::StatusOr<std::string> Snippet(const SnippetOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  SnippetOptions sorted = options;
  std::sort(sorted.slow_ms.begin(), sorted.slow_ms.end());
  sorted.slow_ms.erase(std::unique(sorted.slow_ms.begin(), sorted.slow_ms.end()),
                       sorted.slow_ms.end());
  const Writer writer(sorted);
  const absl::StatusOr<std::string> frontend = writer.Frontend();
  if (!frontend.ok()) return frontend.status();
  return writer.Global() + *frontend + writer.WaitBackend();
}

}  // namespace headgate::haproxy
