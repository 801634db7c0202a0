// headgated's command line. Keeps CLI11, which is slow to compile, in options.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace headgate {

struct Options {
  std::string listen = "127.0.0.1:7443";
  std::string journal = "/var/lib/headgate/journal.db";
  std::string ca;
  std::string cert;
  std::string key;
  bool plaintext = false;
  std::string socket = "/run/headgate/headgated.sock";
  std::string metrics_listen = "127.0.0.1:9464";
  bool metrics_plaintext = false;
  // Of an orchestrator's probes; empty: none.
  std::string health_listen;
  std::string prometheus_url;
  // Inventories that are watched in peacetime; empty: none.
  std::string databases;
  std::string name = "headgated";
  std::uint64_t adopt_epoch = 0;
};

// What is wrong with a file, with the option that named it: "--ca ca.crt: there is no such file".
std::string WithOption(const Options& options, const std::string& why);

// What the command line may say, for ParseOptions and for the manual.
void AddOptions(CLI::App& app, Options& options);

// Unset: the program should end with `exit_code` (help, version, or a wrong command line).
std::optional<Options> ParseOptions(int argc, char** argv, int& exit_code);

}  // namespace headgate
