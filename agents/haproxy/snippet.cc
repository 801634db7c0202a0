#include "agents/haproxy/snippet.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/str_replace.h"
#include "agents/core/cookie.h"
#include "agents/core/http_call.h"
#include "agents/core/prober.h"
#include "agents/core/share_file.h"
#include "agents/haproxy/haproxy.h"
#include "agents/haproxy/names.h"
#include "agents/haproxy/tracking.h"
#include "agents/haproxy/wait_rules.h"

namespace headgate::haproxy {
namespace {

// HAProxy's xxh64 is signed: and() masks it; mod would give negative buckets for half of the keys.
constexpr char kBucketOf[] = "xxh64(0),and(1048575)";
// Of an address, as cookies are counted: an IPv6 network of one site.
constexpr char kSite[] = "src,ipmask(32,64)";

// Longer than any cookie that is signed, and what HAProxy compares of one.
constexpr int kKnownBytes = 128;

class Writer {
 public:
  explicit Writer(const SnippetOptions& options) : options_(options) {
    name_ = agent::VariableOf(options.gate);
  }

  std::string Global() const;
  absl::StatusOr<std::string> Frontend() const;
  std::string WaitBackend() const;
  std::string CookieBackends() const;

 private:
  std::string Slot(const char* variable) const { return fmt::format("txn.{}_{}", name_, variable); }
  std::string Var(const char* variable) const { return fmt::format("var({})", Slot(variable)); }
  std::string Set(const char* variable) const {
    return fmt::format("http-request set-var({})", Slot(variable));
  }
  std::string Key() const;
  std::string SignedCookie() const;
  std::string Secret() const;
  std::string Probe(const std::string& unless) const;
  std::string Verdict() const;
  absl::StatusOr<std::string> Bypass() const;
  std::string Cookie() const;
  std::string Slow() const;
  std::string Remember() const;
  std::string AsksForPage() const;
  std::string CountPage() const;
  bool IsLimited() const;
  std::string CountNewCookie(const char* phase) const;

  const SnippetOptions& options_;
  std::string name_;
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

// A set-var whose expression finds nothing leaves its variable unset. Each rule costs every request
// something, so the usual one, whose cookie is known, has the fewest.
std::string Writer::Key() const {
  const std::string key = Var("key");
  std::string text;
  switch (options_.key.kind) {
    case agent::UserKey::Kind::kCookie:
      return SignedCookie();
    case agent::UserKey::Kind::kHeader:
      text = fmt::format("    {} req.fhdr({})\n", Set("key"), options_.key.name);
      break;
    case agent::UserKey::Kind::kClientAddress:
      text = fmt::format("    http-request set-var-fmt({}) %[src]\n", Slot("key"));
      break;
  }
  return text +
         fmt::format("    {} {},{} if {{ {} -m len gt 0 }}\n", Set("bucket"), key, kBucketOf, key) +
         Probe("");
}

// Asks for the path but once: that costs as much as three other rules.
std::string Writer::Probe(const std::string& unless) const {
  return fmt::format("    {} path if {}{{ path_beg {} }}\n", Set("probe"), unless,
                     options_.probe_path);
}

// Of the key that a cookie names.
std::string Writer::Secret() const {
  return fmt::format("str(k),concat(,{}),field(1,.),map_str({})", Slot("raw"),
                     agent::CookieKeysFileOf(options_.map));
}

// "ID.NAME.MAC": a key of the map that signs new cookies ("issue") is the sign that they are
// signed. Its secrets stand under "k" and their id, so that no cookie can name another entry. A
// cookie that was verified is known for a while: the MAC costs more than all other rules. No probe
// bears such a one.
//
// set-var first, then tests: an ACL on req.cook would test every duplicate of the cookie.
//
// HAProxy takes a lone quote in another cookie's value (size=27") for the begin of a text that
// hides all cookies behind it. A browser means nothing by it, and others do not read it so.
std::string Writer::SignedCookie() const {
  return fmt::format(
             "    {set_raw} req.cook({cookie})\n"
             "    {set_raw} req.fhdr(cookie),regsub(^.*[;[:space:]]{pattern}=,),field(1,;) "
             "if !{{ {raw} -m found }} {{ req.fhdr(cookie) -m reg [;[:space:]]{pattern}= }}\n"
             "    {set_bucket} {raw},{bucket_of} if {{ {raw},in_table({known}) -m bool }} "
             "{{ {secret} -m found }}\n",
             fmt::arg("set_raw", Set("raw")), fmt::arg("raw", Var("raw")),
             fmt::arg("cookie", options_.key.name),
             fmt::arg("pattern", absl::StrReplaceAll(options_.key.name, {{".", "[.]"}})),
             fmt::arg("set_bucket", Set("bucket")), fmt::arg("bucket_of", kBucketOf),
             fmt::arg("known", KnownTableOf(options_.gate)), fmt::arg("secret", Secret())) +
         Probe(fmt::format("!{{ {} -m found }} ", Var("bucket"))) +
         fmt::format(
             "    {set_secret} {secret} if !{{ {bucket} -m found }}\n"
             "    {set_mac} {raw},field(1,.,2),hmac(sha256,{secret_slot}),bytes(0,{mac_bytes}),hex,"
             "lower if {{ var({secret_slot}) -m found }}\n"
             "    acl {name}_signed {raw},field(3,.,0),secure_memcmp({mac_slot}) -m bool\n"
             "    {set_bucket} {raw},{bucket_of} if {{ {mac} -m found }} {name}_signed || "
             "!{{ {bucket} -m found }} {{ {raw} -m len gt 0 }} "
             "!{{ str({issue_entry}),map_str({keys}) -m found }}\n",
             fmt::arg("set_bucket", Set("bucket")), fmt::arg("bucket", Var("bucket")),
             fmt::arg("bucket_of", kBucketOf), fmt::arg("raw", Var("raw")),
             fmt::arg("issue_entry", agent::kIssueEntry),
             fmt::arg("keys", agent::CookieKeysFileOf(options_.map)),
             fmt::arg("set_secret", Set("secret")), fmt::arg("secret", Secret()),
             fmt::arg("secret_slot", Slot("secret")), fmt::arg("set_mac", Set("mac")),
             fmt::arg("mac", Var("mac")), fmt::arg("mac_slot", Slot("mac")),
             fmt::arg("mac_bytes", agent::kCookieMacBytes), fmt::arg("name", name_));
}

std::string Writer::Verdict() const {
  const std::string answer = fmt::format(
      "content-type text/plain hdr {} {} hdr Cache-Control no-store "
      "lf-string \"bucket=%[{}] width=%[{}] slow={} slot={} frontend=%[fe_name]\\n\" "
      "if {}_probed",
      agent::kGateHeader, options_.gate, Var("bucket"), Var("width"),
      fmt::join(options_.slow_ms, ","), options_.track_slot, name_);
  const bool is_header = options_.key.kind == agent::UserKey::Kind::kHeader;
  const std::string probe_key =
      is_header ? ""
                : fmt::format("    {} req.fhdr({}),{} if {}_probed\n", Set("bucket"),
                              agent::kProbeKeyHeader, kBucketOf, name_);
  return fmt::format(
      "    acl {name}_probed {probe} -m str {probe_path}\n"
      "{probe_key}"
      "    {width} str({entry}),map_str_int({map},0)\n"
      "    acl {name}_admitted {b},sub({w}) -m int lt 0\n"
      "    acl {name}_admitted {wv} -m int ge 1048576\n"
      "    http-request return status 200 {answer} {name}_admitted\n"
      "    http-request return status 503 {answer}\n",
      fmt::arg("probe", Var("probe")), fmt::arg("probe_path", options_.probe_path),
      fmt::arg("probe_key", probe_key), fmt::arg("width", Set("width")),
      fmt::arg("entry", agent::kWidthEntry), fmt::arg("map", options_.map), fmt::arg("name", name_),
      fmt::arg("b", Var("bucket")), fmt::arg("w", Slot("width")), fmt::arg("wv", Var("width")),
      fmt::arg("answer", answer));
}

absl::StatusOr<std::string> Writer::Bypass() const {
  const absl::StatusOr<std::vector<agent::Bypass>> rules = agent::ParseBypasses(options_.bypass);
  if (!rules.ok()) return rules.status();
  std::string text;
  for (const agent::Bypass& rule : *rules) {
    text += fmt::format("    {} bool(true) if {{ {} {} }}\n", Set("bypass"),
                        rule.kind == agent::Bypass::Kind::kPath ? "path" : "src", rule.text);
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

// On navigations only, and not on HEAD, which METH_GET includes: a cookie for an image or a script
// would belong to nobody's page. Whoever has
// a bucket is asked nothing more. Beyond the limit of an address none is given.
std::string Writer::Cookie() const {
  if (options_.key.kind != agent::UserKey::Kind::kCookie) return "";
  const std::string beyond =
      IsLimited()
          ? fmt::format("    acl {}_beyond {},table_http_req_rate({}) ge {}\n", name_, kSite,
                        NewCookiesBackendOf(options_.gate), options_.new_cookies_per_minute)
          : "";
  return fmt::format(
      "    acl {name}_gets method GET\n"
      "    acl {name}_navigates req.fhdr(sec-fetch-mode) -m str navigate\n"
      "    acl {name}_fetches req.fhdr(sec-fetch-mode) -m found\n"
      "    acl {name}_wants_html req.fhdr(accept) -m sub -i text/html\n"
      "    acl {name}_has_key {bucket} -m found\n"
      "    acl {name}_gives {new} -m found\n"
      "{beyond}"
      "    {set_new} uuid() if !{name}_has_key {name}_gets {name}_navigates !{name}_bypass{unless} "
      "|| "
      "!{name}_has_key {name}_gets !{name}_fetches {name}_wants_html !{name}_bypass{unless}\n"
      "    {set_issuing} {issue},regsub(^,k),map_str({keys}) if {name}_gives\n"
      "    http-request set-var-fmt({new_slot}) %[{issue}].%[{new}].%[{issue},concat(.,{new_slot}),"
      "hmac(sha256,{issuing_slot}),bytes(0,{mac_bytes}),hex,lower] if {{ {issuing} -m found }}\n"
      "    http-after-response add-header Set-Cookie \"{cookie}=%[{new}]; Path=/; "
      "Max-Age=31536000; SameSite=Lax; HttpOnly%[ssl_fc,iif('; Secure',)]\" if {given}\n"
      "    http-after-response set-header Cache-Control private if {given} "
      "!{{ res.fhdr(cache-control) -m sub -i private no-store }}\n",
      fmt::arg("name", name_), fmt::arg("beyond", beyond),
      // None for the page's own address: there the slot that counts cookies counts the page.
      fmt::arg("unless",
               (IsLimited() ? fmt::format(" !{}_beyond", name_) : "") + " !" + AsksForPage()),
      // With answers that count it, and so with none of HAProxy's own before a backend.
      fmt::arg("given", IsLimited()
                            ? fmt::format("{}_gives {{ sc{}_tracked }}", name_, options_.track_slot)
                            : name_ + "_gives"),
      fmt::arg("bucket", Var("bucket")), fmt::arg("new", Var("new")),
      fmt::arg("set_new", Set("new")), fmt::arg("new_slot", Slot("new")),
      fmt::arg("set_issuing", Set("issuing")), fmt::arg("issuing", Var("issuing")),
      fmt::arg("issuing_slot", Slot("issuing")),
      fmt::arg("issue", fmt::format("str({}),map_str({})", agent::kIssueEntry,
                                    agent::CookieKeysFileOf(options_.map))),
      fmt::arg("keys", agent::CookieKeysFileOf(options_.map)),
      fmt::arg("cookie", options_.key.name), fmt::arg("mac_bytes", agent::kCookieMacBytes));
}

std::string Writer::AsksForPage() const {
  return fmt::format("{{ {} -m str {}{} }}", Var("probe"), options_.probe_path,
                     agent::kWaitProbeSuffix);
}

// Whoever asks for the page itself is not refused, and refutes nothing.
std::string Writer::CountPage() const {
  return fmt::format(
      "    http-request track-sc{0} int(1) table {1} if {3}\n"
      "    http-request sc-inc-gpc({2},{0}) if {3}\n",
      options_.track_slot, WaitBackendOf(options_.gate),
      Haproxy::PageCountOf(options_.slow_ms.size()), AsksForPage());
}

bool Writer::IsLimited() const {
  return options_.key.kind == agent::UserKey::Kind::kCookie && options_.new_cookies_per_minute > 0;
}

// `phase`: where the slot is free by then, of a cookie that is given there. To be tracked counts.
std::string Writer::CountNewCookie(const char* phase) const {
  if (!IsLimited()) return "";
  return fmt::format("    {} track-sc{} {} table {} if {{ {} -m found }}\n", phase,
                     options_.track_slot, kSite, NewCookiesBackendOf(options_.gate), Var("new"));
}

// Behind Slow: an answer that is slow has the slot, and its cookie is verified, or counted, at the
// next request. The key may have gone since the request came.
std::string Writer::Remember() const {
  if (options_.key.kind != agent::UserKey::Kind::kCookie) return "";
  return fmt::format(
             "    http-response track-sc{slot} {raw} table {known} if {{ {mac} -m found }} "
             "{{ {raw} -m len le {most} }} {name}_signed {{ {now},strcmp({secret}) eq 0 }}\n",
             fmt::arg("slot", options_.track_slot), fmt::arg("raw", Var("raw")),
             fmt::arg("known", KnownTableOf(options_.gate)), fmt::arg("mac", Var("mac")),
             fmt::arg("most", kKnownBytes - 1), fmt::arg("name", name_), fmt::arg("now", Secret()),
             fmt::arg("secret", Slot("secret"))) +
         CountNewCookie("http-response");
}

// The table is touched by slow answers only: a stick table that counts every answer costs a fifth
// of HAProxy's CPU. Of the gate's own application: all answers are counted at its backend, and
// another gate may stand in the same frontend.
std::string Writer::Slow() const {
  if (options_.slow_ms.empty()) return "";
  const auto is_slower = [&](std::uint32_t ms) {
    return fmt::format("{{ date(0,ms),sub({}) -m int ge {} }} !{}_bypass {{ be_name {} }}",
                       Slot("start"), ms, name_, options_.app_backend);
  };
  std::string text =
      fmt::format("    http-response track-sc{} int(1) table {} if {}\n", options_.track_slot,
                  WaitBackendOf(options_.gate), is_slower(options_.slow_ms.front()));
  for (std::size_t i = 0; i < options_.slow_ms.size(); ++i) {
    text +=
        fmt::format("    http-response sc-inc-gpc({0},{1}) if {{ sc{1}_tracked }} {2}\n",
                    Haproxy::kSlowCounts + i, options_.track_slot, is_slower(options_.slow_ms[i]));
  }
  return text;
}

absl::StatusOr<std::string> Writer::Frontend() const {
  const absl::StatusOr<std::string> bypass = Bypass();
  if (!bypass.ok()) return bypass.status();
  // To another answer than the waiting page's.
  const std::string limited =
      IsLimited() ? fmt::format(
                        "    use_backend {0} if !{1}_has_key {1}_gets {1}_navigates {1}_beyond "
                        "!{1}_bypass !{1}_admitted || !{1}_has_key {1}_gets !{1}_fetches "
                        "{1}_wants_html {1}_beyond !{1}_bypass !{1}_admitted\n",
                        NewCookiesBackendOf(options_.gate), name_)
                  : "";
  return fmt::format(
      "    # 2. In the frontend, above every other rule of it. A user's key, its bucket, the\n"
      "    #    width of the share, and the verdict. It counts by way of sc{slot}: of several "
      "gates "
      "in\n"
      "    #    one frontend each needs another slot (--track-slot).\n"
      "{start}{key}{verdict}{bypass}{cookie}{slow}{remember}{limited}"
      "    use_backend {wait} if !{name}_admitted !{name}_bypass || {asks}\n"
      "    # Below this line: what was there before, which sends people to '{app}'.\n"
      "\n",
      fmt::arg("slot", options_.track_slot),
      fmt::arg("start",
               options_.slow_ms.empty() ? "" : fmt::format("    {} date(0,ms)\n", Set("start"))),
      fmt::arg("key", Key()), fmt::arg("verdict", Verdict()), fmt::arg("bypass", *bypass),
      fmt::arg("cookie", Cookie()), fmt::arg("slow", Slow()), fmt::arg("remember", Remember()),
      fmt::arg("limited", limited), fmt::arg("asks", AsksForPage()),
      fmt::arg("wait", WaitBackendOf(options_.gate)), fmt::arg("name", name_),
      fmt::arg("app", options_.app_backend));
}

std::string Writer::WaitBackend() const {
  return fmt::format(
      "# 3. A backend of its own: the waiting page, and the table that counts what is slow or\n"
      "#    bypassed. Retry-After is spread by half of itself, so that people do not come back as\n"
      "#    one. What they are told of their return is the agent's forecast, and only while it is "
      "fresh.\n"
      "backend {wait}\n"
      "    mode http\n"
      "    stick-table type integer size 16 store gpc({places})\n"
      "{count_page}{count_new}{rules}",
      fmt::arg("wait", WaitBackendOf(options_.gate)),
      fmt::arg("count_new", CountNewCookie("http-request")), fmt::arg("count_page", CountPage()),
      fmt::arg("places", Haproxy::PageCountOf(options_.slow_ms.size()) + 1),
      fmt::arg("rules", WaitRules({options_.gate, options_.map, options_.pages})));
}

// Of cookies only: the table of those that were verified, and the one of addresses that get new
// ones, with the answer beyond the limit.
std::string Writer::CookieBackends() const {
  if (options_.key.kind != agent::UserKey::Kind::kCookie) return "";
  std::string text = fmt::format(
      "backend {}\n"
      "    stick-table type string len {} size 100k expire 10m\n",
      KnownTableOf(options_.gate), kKnownBytes);
  if (!IsLimited()) return text;
  return text + fmt::format(
                    "backend {}\n"
                    "    mode http\n"
                    "    stick-table type ipv6 size 100k expire 2m store http_req_rate(1m)\n"
                    "    http-request return status 429 content-type text/plain "
                    "hdr Retry-After {} hdr Cache-Control no-store hdr {} {} string \"{}\"\n",
                    NewCookiesBackendOf(options_.gate), agent::kLimitedRetryAfterS,
                    agent::kGateHeader, options_.gate, agent::kLimitedWords);
}

absl::Status Check(const SnippetOptions& options) {
  if (absl::Status status = agent::CheckGateName(options.gate); !status.ok()) return status;
  const std::pair<const char*, const std::string&> words[] = {
      {"--app-backend", options.app_backend},
      {"--socket", options.socket},
      {"--probe-path", options.probe_path}};
  for (const auto& [what, word] : words) {
    if (absl::Status status = agent::CheckPlainWord(what, word); !status.ok()) return status;
  }
  if (options.track_slot < 0 || options.track_slot >= kTrackSlots) {
    return absl::InvalidArgumentError(
        fmt::format("--track-slot {} is no slot of HAProxy's: 0 to 2", options.track_slot));
  }
  if (auto status = agent::CheckPath("--map", options.map); !status.ok()) return status;
  return CheckPages({options.gate, options.map, options.pages});
}

}  // namespace

absl::StatusOr<std::string> Snippet(const SnippetOptions& options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const auto slow_ms = agent::ThresholdsOf(options.slow_ms);
  if (!slow_ms.ok()) return slow_ms.status();
  SnippetOptions sorted = options;
  sorted.slow_ms = *slow_ms;
  const Writer writer(sorted);
  const absl::StatusOr<std::string> frontend = writer.Frontend();
  if (!frontend.ok()) return frontend.status();
  return writer.Global() + *frontend + writer.WaitBackend() + writer.CookieBackends();
}

}  // namespace headgate::haproxy
