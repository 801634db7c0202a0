// What the caller typed, as values. Neither CLI11 nor gRPC is known here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/share.h"

namespace headgate::cli {

enum class Verb {
  kValidate,
  kSimulate,
  kStart,
  kStatus,
  kWatch,
  kExplain,
  kHold,
  kResume,
  kAdvance,
  kRetreat,
  kAbort,
  kClose,
  kApprove,
  kOpen,
  kAgents,
  kRemoveAgent,
  kGates,
  kCreateGate,
  kSplitGate,
  kRemoveGate,
  kRotateKey,
  kTimeline,
  kDatabases,
  kCertsInit,
  kCertsIssue,
  kDbcheck,
  kVersion,
};

// Lowers or freezes the share: needs no check, and must work when little else does.
inline bool IsLowering(Verb verb) {
  return verb == Verb::kClose || verb == Verb::kHold || verb == Verb::kRetreat ||
         verb == Verb::kAbort;
}

// kSvg only of `simulate`.
enum class Output { kText, kJson, kSvg };
enum class WaitFor { kRecorded, kSent, kApplied, kObserved };

inline constexpr char kDefaultSocket[] = "/run/headgate/headgated.sock";

struct Connection {
  // HOST:PORT each, tried in this order.
  std::vector<std::string> controllers{};
  // Used where no controller is given.
  std::string socket = kDefaultSocket;
  bool is_socket_given = false;
  std::string ca{};
  std::string certificate{};
  std::string key{};
  bool plaintext = false;
};

struct MutationFlags {
  std::string request_id{};
  std::uint64_t expected_revision = 0;
  std::string reason{};
  bool dry_run = false;
  std::optional<WaitFor> wait_for{};
};

struct CertsFlags {
  std::string directory{};
  std::string authority_directory{};
  std::string trust_domain{};
  std::string role{};
  std::string name{};
  std::vector<std::string> dns_names{};
  std::vector<std::string> ip_addresses{};
  std::optional<Duration> lifetime{};
  bool overwrite = false;
};

struct SimulateFlags {
  // Files or names; empty: the typical ones.
  std::vector<std::string> scenarios{};
  std::size_t runs = 50;
  // The one that is drawn, from 1.
  std::size_t run = 1;
  std::uint64_t seed = 1;
  // Requests a second at 100 %; of `validate` too. Unset: what the scenarios say.
  std::optional<double> rps{};
};

struct DbcheckFlags {
  // Of the plan's databases; empty: all.
  std::string database{};
  // Instead of a plan.
  std::string primary{};
  // "NAME=DSN" or "DSN" each.
  std::vector<std::string> replicas{};
  std::string engine = "postgres";
  // "physical" or "logical"; empty: as each replica says.
  std::string kind{};
  std::vector<std::string> tables{};
  bool schema_only = false;
  std::string baseline{};
  std::string write_baseline{};
  std::vector<std::string> allowed{};
  // Unset: the plan's, or the default.
  std::optional<std::uint32_t> cpu_share_percent{};
  std::string state{};
};

struct Command {
  Verb verb = Verb::kVersion;
  Connection connection{};
  Output output = Output::kText;
  std::optional<Duration> timeout{};
  MutationFlags mutation{};
  std::string gate{};
  std::string agent{};
  std::string database{};
  // "-" is the standard input.
  std::string plan_file{};
  // Of `validate`: warnings refuse.
  bool is_strict = false;
  bool when_ready = false;
  bool wait = false;
  std::optional<Share> share{};
  // Of a part of a gate.
  std::map<std::string, std::string> labels{};
  std::optional<Duration> open_for{};
  std::uint32_t limit = 0;
  CertsFlags certs{};
  SimulateFlags simulate{};
  DbcheckFlags dbcheck{};
  // What was typed and is not heeded, one line each: a lowering does without.
  std::vector<std::string> notices{};
};

}  // namespace headgate::cli
