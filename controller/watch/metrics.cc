#include "controller/watch/metrics.h"

namespace headgate::watch {
namespace {

prometheus::Family<prometheus::Gauge>& GaugeFamily(prometheus::Registry& registry, const char* name,
                                                   const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

double Seconds(TimePoint at) { return double(UnixMillis(at)) / 1'000; }

}  // namespace

WatchMetrics::WatchMetrics(prometheus::Registry& registry)
    : verdict_(GaugeFamily(registry, "headgate_database_verdict",
                           "1 for the present verdict of a database's check, 0 for the others.")),
      lag_(GaugeFamily(registry, "headgate_database_lag_seconds",
                       "By how much the slowest replica in use is behind.")),
      findings_(GaugeFamily(registry, "headgate_database_findings",
                            "Findings of the newest look, by kind.")),
      last_look_(GaugeFamily(registry, "headgate_database_last_look_timestamp_seconds",
                             "When the database was last looked at, in Unix seconds.")),
      last_success_(GaugeFamily(registry, "headgate_database_last_success_timestamp_seconds",
                                "When all that was asked of the database was last known, in Unix "
                                "seconds; 0: never.")),
      data_rows_(GaugeFamily(registry, "headgate_database_data_rows_compared",
                             "Rows compared in the present round.")),
      data_rows_estimated_(GaugeFamily(registry, "headgate_database_data_rows_estimated",
                                       "Rows that a round compares, by the primary's statistics.")),
      last_round_(GaugeFamily(registry, "headgate_database_data_last_round_timestamp_seconds",
                              "When all rows had last been compared, in Unix seconds; 0: never.")),
      last_round_took_(GaugeFamily(registry, "headgate_database_data_last_round_seconds",
                                   "How long that round took.")),
      changes_(prometheus::BuildCounter()
                   .Name("headgate_database_verdict_changes_total")
                   .Help("Changes of a database's verdict, by check.")
                   .Register(registry)),
      unwritten_(prometheus::BuildCounter()
                     .Name("headgate_database_history_failures_total")
                     .Help("Times that the history of databases could not be written.")
                     .Register(registry)
                     .Add({})) {}

void WatchMetrics::Show(const std::string& database, const Known& known) {
  for (const auto& [check, history] : known.checks) {
    for (const Verdict verdict : kVerdicts) {
      verdict_.Add({{"database", database}, {"check", NameOf(check)}, {"verdict", NameOf(verdict)}})
          .Set(history.standing.verdict == verdict ? 1 : 0);
    }
  }
  lag_.Add({{"database", database}}).Set(double(known.lag.count()) / 1'000);
  if (known.last_look) {
    last_look_.Add({{"database", database}}).Set(Seconds(*known.last_look));
  }
  last_success_.Add({{"database", database}})
      .Set(known.last_success ? Seconds(*known.last_success) : 0);
  if (known.data) ShowData(database, known);
  std::map<std::string, int> counts;
  for (const std::string& kind : kinds_[database]) counts[kind] = 0;
  for (const KnownFinding& known_finding : known.findings) ++counts[known_finding.finding.kind];
  for (const auto& [kind, count] : counts) {
    kinds_[database].insert(kind);
    findings_.Add({{"database", database}, {"kind", kind}}).Set(count);
  }
}

void WatchMetrics::ShowData(const std::string& database, const Known& known) {
  const prometheus::Labels labels = {{"database", database}};
  data_rows_.Add(labels).Set(double(known.data->rows_done));
  data_rows_estimated_.Add(labels).Set(double(known.data->rows_estimated));
  last_round_.Add(labels).Set(known.last_round ? Seconds(*known.last_round) : 0);
  last_round_took_.Add(labels).Set(double(known.data->whole_took.count()) / 1'000);
}

void WatchMetrics::CountChange(const Change& change) {
  changes_.Add({{"database", change.database}, {"check", NameOf(change.check)}}).Increment();
}

}  // namespace headgate::watch
