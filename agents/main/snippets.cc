#include "agents/main/snippets.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iostream>

#include "absl/strings/escaping.h"
#include "agents/core/cookie.h"
#include "agents/core/files.h"
#include "agents/core/forecast.h"
#include "agents/core/share_store.h"
#include "agents/envoy/weights.h"
#include "agents/haproxy/wait_rules.h"
#include "agents/main/exit_codes.h"
#include "agents/main/folders.h"
#include "common/base/bucket.h"
#include "common/base/duration.h"
#include "common/base/random.h"

namespace headgate::agent {
namespace {

constexpr std::uint32_t kRetryAfterSeconds = 10;
constexpr std::size_t kTokenBytes = 16;
constexpr char kAskingEnvoy[] = "envoy-ext-authz";
constexpr char kNewCookiesHelp[] =
    "how many new cookies one address gets per minute; 0: as many as it asks for";

int Fail(const absl::Status& status, int code) {
  std::cerr << "headgate-agent: " << std::string(status.message()) << "\n";
  return code;
}

bool IsThere(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0;
}

absl::Status MakeFolderOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const bool was_there = IsThere(folder);
  if (absl::Status made = MakeFolder(folder, kShareFolderMode); !made.ok()) return made;
  if (was_there) return absl::OkStatus();
  std::cerr << fmt::format(
      "{} made, for user {}: if the agent runs as another, give it to them (`chown headgate {}`)\n",
      folder, geteuid(), folder);
  return absl::OkStatus();
}

// Of an existing file nothing is changed: it may hold a share.
absl::Status WriteShare(const std::string& path, Share share, const ShareForm& form = {}) {
  if (IsThere(path)) {
    std::cerr << path << " is already there: left as it is\n";
    return absl::OkStatus();
  }
  if (absl::Status made = MakeFolderOf(path); !made.ok()) return made;
  const absl::Status written = WriteDurably(path, form.text({share.Width(), kRetryAfterSeconds}));
  if (!written.ok()) return written;
  // The load balancer reads it, maybe as another user; it holds no secret.
  chmod(path.c_str(), 0644);
  std::cerr << fmt::format(
      "{} written: it admits {} until {}\n", path,
      share.ppm() == Share::kPpmMax ? "everybody" : share.ToString(),
      share.ppm() == Share::kPpmMax ? "the gate exists" : "an agent has the controller's word");
  return absl::OkStatus();
}

// HAProxy reads it at its start, and not with anything else than rows in it; what is foretold while
// it runs is in its memory.
absl::Status WriteNoForecast(const std::string& share) {
  return WriteForecast(ForecastFileOf(share), {});
}

absl::Status WritePages(const haproxy::SnippetOptions& options) {
  for (const auto& [path, text] : haproxy::PageFiles({options.gate, options.map, options.pages})) {
    if (absl::Status written = WriteDurably(path, text); !written.ok()) return written;
    chmod(path.c_str(), 0644);
    std::cerr << path << " written: HAProxy reads it at its next reload\n";
  }
  return absl::OkStatus();
}

// For the owner and that group alone. False: it cannot be given to the group.
bool ShareWith(const std::string& group, const std::string& path) {
  const ::group* const found = getgrnam(group.c_str());
  return found != nullptr && chown(path.c_str(), geteuid(), found->gr_gid) == 0 &&
         chmod(path.c_str(), 0640) == 0;
}

// The word by which nginx knows the agent: for both of them and nobody else.
absl::Status WriteToken(const std::string& path, const std::string& group) {
  if (IsThere(path)) return absl::OkStatus();
  const std::string token = absl::BytesToHexString(RandomBytes(kTokenBytes));
  const mode_t before = umask(0077);
  const absl::Status written = WriteDurably(path, token + "\n");
  umask(before);
  if (!written.ok()) return written;
  const bool is_shared = ShareWith(group, path);
  std::cerr << fmt::format("{} written{}\n", path,
                           is_shared ? ", for the agent's user and group " + group
                                     : fmt::format(": let nginx's workers read it (group {} cannot "
                                                   "be given it)",
                                                   group));
  return absl::OkStatus();
}

// Both load balancers read it at their start, nginx's workers also later; HAProxy does not start
// without it. `group`: of those who must read it, empty for nobody but its owner's.
absl::Status WriteNoCookieKeys(const std::string& path, const std::string& group) {
  if (IsThere(path)) return absl::OkStatus();
  const absl::Status written = WriteDurably(path, CookieKeysText({}));
  if (!written.ok()) return written;
  chmod(path.c_str(), 0640);
  const bool is_shared = group.empty() || ShareWith(group, path);
  std::cerr << fmt::format(
      "{} written: the agent puts the keys of the gate's cookie into it{}\n", path,
      is_shared
          ? ""
          : fmt::format("; let nginx's workers read it (group {} cannot be given it)", group));
  return absl::OkStatus();
}

absl::Status WriteNginxFiles(const nginx::SnippetOptions& options, const std::string& lua,
                             const SnippetFlags& flags) {
  absl::Status status = WriteShare(options.share, *Share::Parse(flags.bootstrap_share));
  if (status.ok()) status = WriteNoCookieKeys(CookieKeysFileOf(options.share), flags.group);
  const std::string lua_file = nginx::LuaFileOf(options);
  if (status.ok()) status = MakeFolderOf(lua_file);
  if (status.ok()) status = WriteToken(nginx::TokenFileOf(options), flags.group);
  if (status.ok()) status = WriteDurably(lua_file, lua);
  if (!status.ok()) return status;
  chmod(lua_file.c_str(), 0644);
  std::cerr << lua_file << " written: nginx reads it at its next reload\n";
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::uint32_t>> SlowOf(const std::vector<std::string>& texts) {
  std::vector<std::uint32_t> slow_ms;
  for (const std::string& text : texts) {
    const auto threshold = ParseDuration(text);
    const bool fits = threshold.ok() && threshold->count() >= 1 && threshold->count() <= 600'000;
    if (!fits) {
      return absl::InvalidArgumentError(
          fmt::format("--slow '{}': write a duration from 1ms to 10m", text));
    }
    slow_ms.push_back(static_cast<std::uint32_t>(threshold->count()));
  }
  return slow_ms;
}

void AddPages(CLI::App& command, SnippetFlags& flags) {
  command.add_option("--page", flags.page_files,
                     "a waiting page of your own: FILE, or LANGUAGE=FILE, as in de=wait.html; "
                     "repeatable");
  command.add_option("--language", flags.language, "of who asks for none that there is")
      ->capture_default_str();
}

// What every load balancer's snippet takes.
void AddCommon(CLI::App& command, SnippetFlags& flags, std::string& gate,
               std::vector<std::string>& bypass, std::string& probe_path) {
  command.add_option("--gate", gate, "the gate's name")->required();
  command.add_option("--key", flags.key, "'cookie NAME', 'header NAME' or 'client_address'")
      ->capture_default_str();
  command.add_option("--slow", flags.slow, "count answers slower than this; up to six")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--bypass", bypass,
                     "always let through, and on to the application: path=/healthz or "
                     "cidr=203.0.113.0/24; repeatable");
  command.add_option("--probe-path", probe_path, "a path that the gate answers itself")
      ->capture_default_str();
  command
      .add_option("--bootstrap-share", flags.bootstrap_share,
                  "what a share file that is made admits until the agent has the controller's "
                  "word; of a machine that comes up during an incident 0%")
      ->capture_default_str();
  AddPages(command, flags);
}

void AddHaproxy(CLI::App& snippet, SnippetFlags& flags) {
  CLI::App* haproxy = snippet.add_subcommand("haproxy", "for HAProxy 2.6 and newer");
  haproxy::SnippetOptions& options = flags.haproxy;
  AddCommon(*haproxy, flags, options.gate, options.bypass, options.probe_path);
  haproxy
      ->add_option("--app-backend", options.app_backend, "the backend that serves admitted users")
      ->required();
  haproxy->add_option("--map", options.map, "the map file")->required();
  haproxy->add_option("--socket", options.socket, "HAProxy's stats socket, for the text only")
      ->default_val("/run/haproxy/admin.sock");
  haproxy->add_option("--track-slot", options.track_slot, "which of sc0 to sc2 to use")
      ->capture_default_str();
  haproxy->add_option("--new-cookies", options.new_cookies_per_minute, kNewCookiesHelp)
      ->capture_default_str();
  haproxy->add_flag(
      "--write-map", flags.write,
      "also make the map file, unless it is there, admitting --bootstrap-share, and the files of "
      "the cookie's keys, of the forecast and of --page");
}

void AddNginx(CLI::App& snippet, SnippetFlags& flags) {
  CLI::App* nginx =
      snippet.add_subcommand("nginx", "for nginx 1.22 and newer with libnginx-mod-http-lua");
  nginx::SnippetOptions& options = flags.nginx;
  AddCommon(*nginx, flags, options.gate, options.bypass, options.probe_path);
  nginx
      ->add_option("--folder", options.folder,
                   "the folder of the gate's Lua and token, which nginx and the agent read")
      ->default_val("/etc/headgate/nginx");
  nginx->add_option("--share", options.share, "the share file, which the agent writes")->required();
  nginx->add_option("--new-cookies", options.new_cookies_per_minute, kNewCookiesHelp)
      ->capture_default_str();
  nginx->add_option("--group", flags.group, "of nginx's workers, who must read the token")
      ->capture_default_str();
  nginx->add_flag(
      "--write", flags.write,
      "also make the gate's Lua, and, unless they are there, its token, the file of the "
      "cookie's keys and a share that admits --bootstrap-share");
  nginx->callback([&flags] { flags.is_nginx = true; });
}

CLI::App* AddAsking(CLI::App& snippet, SnippetFlags& flags, const char* name, const char* help) {
  CLI::App* command = snippet.add_subcommand(name, help);
  command->add_option("--gate", flags.endpoint.gate, "the gate's name")->required();
  command->add_option("--key", flags.key, "as in agent.yaml")->capture_default_str();
  command->add_option("--listen", flags.listen, "of the endpoint, as in agent.yaml")->required();
  command->callback([&flags, name] { flags.asks = name; });
  return command;
}

void AddEndpoint(CLI::App& snippet, SnippetFlags& flags) {
  CLI::App* nginx = AddAsking(snippet, flags, "nginx-auth-request",
                              "for nginx 1.22 and newer without a Lua module");
  nginx
      ->add_option("--on-agent-failure", flags.on_agent_failure,
                   "while the agent does not answer: static (who was admitted stays), closed, or "
                   "open (everybody comes in)")
      ->capture_default_str();
  nginx->add_option("--remembered", flags.endpoint.remembered,
                    "the folder of nginx's kept answers, as in agent.yaml; of static only");
  nginx->add_option("--bypass", flags.endpoint.bypass, "as in agent.yaml; repeatable");
  nginx->add_option("--access-log", flags.endpoint.access_log,
                    "where the agent listens for answers' status and time, as in agent.yaml");
  AddAsking(snippet, flags, "caddy", "for Caddy 2.6 and newer");
}

int PrintEndpoint(SnippetFlags& flags) {
  const auto listen = endpoint::ParseListen("--listen", flags.listen);
  if (!listen.ok()) return Fail(listen.status(), kExitUsage);
  const auto on_failure = endpoint::ParseOnAgentFailure(flags.on_agent_failure);
  if (!on_failure.ok()) return Fail(on_failure.status(), kExitUsage);
  flags.endpoint.listen = *listen;
  flags.endpoint.on_agent_failure = *on_failure;
  const bool is_caddy = flags.asks == "caddy";
  const auto text =
      is_caddy ? endpoint::CaddySnippet(flags.endpoint) : endpoint::NginxSnippet(flags.endpoint);
  if (!text.ok()) return Fail(text.status(), kExitUsage);
  std::cout << *text;
  return kExitDone;
}

void AddEnvoy(CLI::App& snippet, SnippetFlags& flags) {
  CLI::App* envoy = snippet.add_subcommand("envoy", "for Envoy 1.36 and newer");
  envoy::SnippetOptions& options = flags.envoy;
  AddCommon(*envoy, flags, options.gate, options.bypass, options.probe_path);
  envoy
      ->add_option("--app-cluster", options.app_clusters,
                   "the cluster that serves admitted users; repeatable")
      ->required();
  envoy->add_option("--share", options.share, "the share file, which the agent writes")->required();
  envoy->add_option("--admin", options.admin, "Envoy's admin interface: a socket or HOST:PORT")
      ->capture_default_str();
  envoy->add_option("--listen", options.listen, "of the bootstrap's listener")
      ->capture_default_str();
  envoy->add_option("--app-address", options.app_address, "of the bootstrap's application")
      ->capture_default_str();
  envoy->add_flag("--write", flags.write,
                  "also make the share file, unless it is there, admitting --bootstrap-share");
  envoy->callback([&flags] { flags.is_envoy = true; });
}

// What stands in Envoy itself, for the hour without an agent.
void AddAskingEnvoy(CLI::App& snippet, SnippetFlags& flags) {
  CLI::App* envoy =
      snippet.add_subcommand(kAskingEnvoy, "for an Envoy that asks the agent about each request");
  envoy::AskingOptions& options = flags.asking_envoy;
  envoy->add_option("--gate", options.gate, "the gate's name")->required();
  envoy->add_option("--key", flags.key, "as in agent.yaml")->capture_default_str();
  envoy->add_option("--ext-authz", options.ext_authz, "of the endpoint, as in agent.yaml")
      ->required();
  envoy
      ->add_option("--share", options.share,
                   "as in agent.yaml: Envoy decides by it while the agent does not answer")
      ->required();
  envoy->add_option("--bypass", options.bypass, "as in agent.yaml; repeatable");
  AddPages(*envoy, flags);
  envoy->add_option("--listen", options.listen, "of the bootstrap's listener")
      ->capture_default_str();
  envoy->add_option("--app-address", options.app_address, "of the bootstrap's application")
      ->capture_default_str();
  envoy->callback([&flags] { flags.asks = kAskingEnvoy; });
}

int PrintAskingEnvoy(SnippetFlags& flags) {
  const auto agent = endpoint::ParseListen("--ext-authz", flags.asking_envoy.ext_authz);
  if (!agent.ok()) return Fail(agent.status(), kExitUsage);
  // Envoy looks no name up there.
  flags.asking_envoy.ext_authz = agent->ToString();
  const auto text = envoy::AskingSnippet(flags.asking_envoy);
  if (!text.ok()) return Fail(text.status(), kExitUsage);
  std::cout << *text;
  return kExitDone;
}

int PrintEnvoy(SnippetFlags& flags) {
  const auto text = envoy::Snippet(flags.envoy);
  if (!text.ok()) return Fail(text.status(), kExitUsage);
  std::cout << *text;
  if (!flags.write) return kExitDone;
  const ShareForm form = envoy::FormOf({flags.envoy.gate, flags.envoy.app_clusters});
  const absl::Status written =
      WriteShare(flags.envoy.share, *Share::Parse(flags.bootstrap_share), form);
  return written.ok() ? kExitDone : Fail(written, kExitInternal);
}

int PrintNginx(SnippetFlags& flags) {
  const auto text = nginx::Snippet(flags.nginx);
  if (!text.ok()) return Fail(text.status(), kExitUsage);
  const auto lua = nginx::Lua(flags.nginx);
  if (!lua.ok()) return Fail(lua.status(), kExitUsage);
  std::cout << *text;
  if (!flags.write) return kExitDone;
  const absl::Status written = WriteNginxFiles(flags.nginx, *lua, flags);
  return written.ok() ? kExitDone : Fail(written, kExitInternal);
}

int PrintHaproxy(const SnippetFlags& flags) {
  const auto text = haproxy::Snippet(flags.haproxy);
  if (!text.ok()) return Fail(text.status(), kExitUsage);
  std::cout << *text;
  if (!flags.write) return kExitDone;
  absl::Status written = WriteShare(flags.haproxy.map, *Share::Parse(flags.bootstrap_share));
  if (written.ok()) written = WriteNoCookieKeys(CookieKeysFileOf(flags.haproxy.map), "");
  if (written.ok()) written = WriteNoForecast(flags.haproxy.map);
  if (written.ok()) written = WritePages(flags.haproxy);
  return written.ok() ? kExitDone : Fail(written, kExitInternal);
}

}  // namespace

void AddSnippet(CLI::App& app, SnippetFlags& flags) {
  CLI::App* snippet = app.add_subcommand("snippet", "print configuration to paste");
  snippet->require_subcommand(1);
  AddHaproxy(*snippet, flags);
  AddNginx(*snippet, flags);
  AddEnvoy(*snippet, flags);
  AddAskingEnvoy(*snippet, flags);
  AddEndpoint(*snippet, flags);
}

int PrintSnippet(SnippetFlags flags) {
  const auto key = UserKey::Parse(flags.key);
  if (!key.ok()) return Fail(key.status(), kExitUsage);
  const auto slow_ms = SlowOf(flags.slow);
  if (!slow_ms.ok()) return Fail(slow_ms.status(), kExitUsage);
  if (const auto share = Share::Parse(flags.bootstrap_share); !share.ok()) {
    return Fail(absl::InvalidArgumentError(
                    fmt::format("--bootstrap-share: {}", std::string(share.status().message()))),
                kExitUsage);
  }
  const auto pages = WaitPages::Load(flags.page_files, flags.language);
  if (!pages.ok()) return Fail(pages.status(), kExitUsage);
  flags.haproxy.pages = flags.nginx.pages = flags.envoy.pages = flags.asking_envoy.pages = *pages;
  flags.haproxy.key = flags.nginx.key = flags.envoy.key = *key;
  flags.endpoint.key = flags.asking_envoy.key = *key;
  flags.haproxy.slow_ms = flags.nginx.slow_ms = flags.envoy.slow_ms = *slow_ms;
  if (flags.is_envoy) return PrintEnvoy(flags);
  if (flags.asks == kAskingEnvoy) return PrintAskingEnvoy(flags);
  if (!flags.asks.empty()) return PrintEndpoint(flags);
  return flags.is_nginx ? PrintNginx(flags) : PrintHaproxy(flags);
}

}  // namespace headgate::agent
