#include "cli/dbcheck_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "common/base/share.h"

namespace headgate::cli {

void AddDbcheckOptions(CLI::App& dbcheck, Command& command, std::string& cpu_share) {
  DbcheckFlags& flags = command.dbcheck;
  dbcheck
      .add_option("PLAN", command.plan_file,
                  "a plan's YAML file, whose databases are checked; - is standard input")
      ->type_name("");
  dbcheck.add_option("--database", flags.database, "only this one of the plan's databases");
  dbcheck.add_option("--primary", flags.primary,
                     "instead of a plan: connection string of the primary, without a password: "
                     "passfile= or service= have it, with MariaDB option_file=");
  dbcheck
      .add_option("--replica", flags.replicas,
                  "and of a replica, as [NAME=]CONNECTION; may be repeated")
      ->allow_extra_args(false);
  dbcheck.add_option("--engine", flags.engine, "postgres or mariadb [postgres]")
      ->check(CLI::IsMember({"postgres", "mariadb"}));
  dbcheck
      .add_option("--kind", flags.kind,
                  "how the replicas replicate: physical or logical [they say]")
      ->check(CLI::IsMember({"physical", "logical"}));
  dbcheck
      .add_option("--tables", flags.tables,
                  "compare the data of these alone, e.g. orders,crm.people")
      ->delimiter(',')
      ->allow_extra_args(false);
  dbcheck.add_flag("--schema-only", flags.schema_only, "compare no data");
  dbcheck.add_option("--baseline", flags.baseline,
                     "compare the schemas with this file too, which --write-baseline wrote");
  dbcheck.add_option("--write-baseline", flags.write_baseline,
                     "write the primary's schema to this file, one object a line, and do no more");
  dbcheck
      .add_option("--allow", flags.allowed,
                  "a difference that is known and harmless, as it is told from 'table' on, * for "
                  "anything: 'table public.orders: index *'; may be repeated")
      ->allow_extra_args(false);
  dbcheck.add_option("--cpu-share", cpu_share,
                     "how much of one core to take of the busiest server, 1% to 100% [20%]");
  dbcheck.add_option("--state", flags.state,
                     "keep here how far the data have been compared, and go on from there");
  dbcheck.add_flag("--wait", command.wait,
                   "until the replicas have caught up and are proven the same, --timeout at most");
}

std::string ReadCpuShare(const std::string& text, DbcheckFlags& flags) {
  if (text.empty()) return "";
  const absl::StatusOr<Share> share = Share::Parse(text);
  constexpr std::uint32_t kPercent = 10'000;
  if (!share.ok() || share->ppm() < kPercent || share->ppm() % kPercent != 0) {
    return fmt::format("--cpu-share '{}' is refused: write 1% to 100%, such as 20%", text);
  }
  flags.cpu_share_percent = share->ppm() / kPercent;
  return "";
}

std::string CheckDbcheckOptions(const Command& command) {
  if (command.verb != Verb::kDbcheck) return "";
  const DbcheckFlags& flags = command.dbcheck;
  const bool has_plan = !command.plan_file.empty();
  if (has_plan && !flags.primary.empty()) {
    return "a PLAN and --primary are two ways to say which servers: give one";
  }
  if (!has_plan && flags.primary.empty()) {
    return "dbcheck needs a PLAN, or --primary and --replica";
  }
  if (has_plan && !flags.replicas.empty()) return "--replica goes with --primary, not with a PLAN";
  if (!has_plan && !flags.database.empty()) return "--database goes with a PLAN";
  if (!flags.kind.empty() && flags.engine == "mariadb") {
    return "--kind is PostgreSQL's: a replica of MariaDB has none";
  }
  const bool is_about_schema = !flags.baseline.empty() || !flags.write_baseline.empty();
  if (!has_plan && flags.replicas.empty() && !is_about_schema) {
    return "give --replica: there is nothing to compare the primary with";
  }
  if (!flags.baseline.empty() && !flags.write_baseline.empty()) {
    return "--baseline and --write-baseline contradict each other: one is read, one is written";
  }
  if (flags.schema_only && (!flags.tables.empty() || !flags.state.empty())) {
    return "--schema-only compares no data: leave out --tables and --state";
  }
  return "";
}

}  // namespace headgate::cli
