#include "controller/main/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <utility>

namespace headgate {
namespace {

constexpr int kUsage = 2;
// The journal keeps it as a signed number, and later reigns are above it.
constexpr std::uint64_t kEpochMax = std::uint64_t{1} << 62;

constexpr char kAbout[] =
    "headgated readmits users after an outage, step by step, while it watches that the platform "
    "bears it.\n"
    "It obeys the operators' CLI `headgate` and commands the agents beside the load balancers.\n";

constexpr char kFooter[] =
    "Examples:\n"
    "  headgated --ca ca.crt --cert controller.crt --key controller.key --listen 0.0.0.0:7443\n"
    "  headgated --plaintext --listen 127.0.0.1:7443 --journal ./journal.db --socket ''   (to try "
    "it)\n"
    "Without a usable journal it starts all the same, says so, and only lowers.\n"
    "Exit codes: 0 stopped by SIGTERM or SIGINT, 1 cannot serve anybody (the reason is on standard "
    "error), 2 usage.";

}  // namespace

std::string WithOption(const Options& options, const std::string& why) {
  for (const auto& [option, path] :
       {std::pair("--ca", &options.ca), std::pair("--cert", &options.cert),
        std::pair("--key", &options.key), std::pair("--journal", &options.journal)}) {
    if (why.starts_with(*path + ":") || why.starts_with(*path + " ")) {
      return fmt::format("{} {}", option, why);
    }
  }
  return why;
}

void AddOptions(CLI::App& app, Options& options) {
  app.name("headgated");
  app.description(kAbout);
  app.footer(kFooter);
  app.set_version_flag("--version", std::string("headgated ") + HEADGATE_VERSION);
  app.add_option("--listen", options.listen,
                 "HOST:PORT for operators and agents; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--journal", options.journal,
                 "The journal's file; made if it is missing, its folder too")
      ->capture_default_str();
  auto* ca = app.add_option("--ca", options.ca,
                            "PEM file of the authority that callers' certificates come from");
  auto* cert = app.add_option("--cert", options.cert, "PEM file of the controller's certificate");
  auto* key = app.add_option("--key", options.key, "PEM file of its key");
  ca->needs(cert)->needs(key);
  cert->needs(ca);
  key->needs(cert);
  app.add_flag("--plaintext", options.plaintext,
               "No TLS, every caller is believed: only on a loopback address")
      ->excludes(ca);
  app.add_option("--socket", options.socket,
                 "Unix socket for root on this host, for when certificates are dead; '' for none")
      ->capture_default_str();
  app.add_option("--metrics-listen", options.metrics_listen,
                 "HOST:PORT for /metrics, /livez and /readyz; '' for none")
      ->capture_default_str();
  app.add_flag("--metrics-plaintext", options.metrics_plaintext,
               "No TLS there: only on a loopback address");
  app.add_option("--health-listen", options.health_listen,
                 "HOST:PORT for gRPC health probes (services live and ready) and nothing else, "
                 "without TLS on any address; default: none");
  app.add_option("--prometheus-url", options.prometheus_url,
                 "Prometheus for plans that name none, e.g. http://prometheus:9090");
  app.add_option("--databases", options.databases,
                 "YAML file of databases that are watched all the time: `databases:` as in a plan, "
                 "look_every, fingerprint_every");
  app.add_option("--name", options.name, "This controller's name, for the journal")
      ->capture_default_str();
  app.add_option("--adopt-epoch", options.adopt_epoch,
                 "Reign above this epoch, which an agent holds and the journal does not know (a "
                 "clock that was ahead, a journal that was lost); raises nobody")
      ->check(CLI::Range(std::uint64_t{1}, kEpochMax));
}

std::optional<Options> ParseOptions(int argc, char** argv, int& exit_code) {
  Options options;
  CLI::App app;
  AddOptions(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error) == 0 ? 0 : kUsage;
    return std::nullopt;
  }
  if (!options.plaintext && options.ca.empty()) {
    std::cerr << "headgated: give --ca, --cert and --key (`headgate certs init` makes them), or "
                 "--plaintext on a loopback address\n";
    exit_code = kUsage;
    return std::nullopt;
  }
  return options;
}

}  // namespace headgate
