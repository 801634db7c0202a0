#include "agents/envoy/counts.h"

#include <fmt/format.h>

#include "agents/core/snippet_words.h"

namespace headgate::envoy {
namespace {

// The characters of our words that mean something in a regular expression.
std::string Quoted(const std::string& word) {
  std::string quoted;
  for (const char c : word) {
    if (c == '.' || c == '+') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

// Over every virtual host, or HTTP connection manager, that the gate stands in.
class Sums {
 public:
  explicit Sums(const Stats& stats) : stats_(stats) {}

  std::uint64_t Of(const std::string& suffix) const {
    std::uint64_t sum = 0;
    for (const auto& [name, count] : stats_.counts) {
      if (name.ends_with(suffix)) sum += count;
    }
    return sum;
  }
  bool Has(const std::string& suffix) const {
    for (const auto& [name, count] : stats_.counts) {
      if (name.ends_with(suffix)) return true;
    }
    return false;
  }

 private:
  const Stats& stats_;
};

absl::Status Missing(const std::string& what, const std::string& paste) {
  return absl::FailedPreconditionError(
      fmt::format("Envoy counts nothing as {}: paste {} of the gate's snippet, with the names as "
                  "printed",
                  what, paste));
}

void CountSlow(const Stats& stats, const std::string& histogram, std::uint64_t timeouts,
               agent::RawCounters& raw, const std::vector<std::uint32_t>& slow_ms) {
  bool is_known = false;
  for (const auto& [name, below] : stats.below) {
    if (!name.ends_with(histogram) || below.empty()) continue;
    is_known = true;
    const auto all = below.find(kSlowestMs);
    if (all == below.end()) continue;
    for (const std::uint32_t threshold : slow_ms) {
      const auto fast = below.find(threshold);
      if (fast == below.end() || fast->second > all->second) continue;
      raw.slow[threshold] += all->second - fast->second;
    }
  }
  // Until the first answer Envoy tells no thresholds: the configuration's are believed.
  for (const std::uint32_t threshold : slow_ms) {
    if (!is_known) raw.slow[threshold] = 0;
  }
  // The histogram knows only answers that the application gave.
  for (auto& [threshold, count] : raw.slow) count += timeouts;
}

}  // namespace

std::string RouteStatOf(const std::string& gate) { return agent::VariableOf(gate); }
std::string BypassStatOf(const std::string& gate) { return agent::VariableOf(gate) + "_bypass"; }
std::string ProbeStatOf(const std::string& gate) { return agent::VariableOf(gate) + "_probe"; }

std::string RefusedStatOf(const std::string& gate) { return agent::VariableOf(gate) + "_refused"; }

std::string FilterOf(const Gate& gate) {
  std::string clusters;
  for (const std::string& app : gate.app_clusters) {
    clusters += (clusters.empty() ? "" : "|") + Quoted(app);
  }
  const std::string route = RouteStatOf(gate.name);
  return fmt::format(
      R"(^(server\.uptime|cluster\.({})\.(upstream_cx_connect_fail|upstream_rq_(active|pending_active))|)"
      R"(vhost\..*\.route\.{}(_bypass)?\.upstream_rq_(total|completed|5xx|retry|timeout|time)|)"
      R"({}\.http_local_rate_limit\.enabled)$)",
      clusters, route, RefusedStatOf(gate.name));
}

absl::StatusOr<agent::RawCounters> CountersFrom(const Stats& stats, const Gate& gate,
                                                const std::vector<std::uint32_t>& slow_ms) {
  const Sums sums(stats);
  const std::string route = ".route." + RouteStatOf(gate.name) + ".upstream_rq_";
  const std::string bypass = ".route." + BypassStatOf(gate.name) + ".upstream_rq_";
  const std::string refused = RefusedStatOf(gate.name) + ".http_local_rate_limit.enabled";
  if (!sums.Has(route + "total")) {
    return Missing("stat_prefix " + RouteStatOf(gate.name), "the routes");
  }
  if (!sums.Has(refused)) {
    return Missing("stat_prefix " + RefusedStatOf(gate.name), "the filters and routes");
  }
  agent::RawCounters raw;
  raw.bypassed = sums.Of(bypass + "completed");
  raw.bypassed_5xx = sums.Of(bypass + "5xx");
  raw.answered = sums.Of(route + "completed") + raw.bypassed;
  raw.http_5xx = sums.Of(route + "5xx") + raw.bypassed_5xx;
  raw.connection_errors = sums.Of(route + "retry");
  raw.refused = sums.Of(refused);
  for (const std::string& app : gate.app_clusters) {
    const std::string cluster = "cluster." + app + ".upstream_";
    if (!sums.Has(cluster + "cx_connect_fail")) {
      return absl::FailedPreconditionError(
          fmt::format("Envoy has no cluster '{}': app_clusters must name those of its "
                      "configuration",
                      app));
    }
    raw.connection_errors += sums.Of(cluster + "cx_connect_fail");
    raw.in_flight += sums.Of(cluster + "rq_active") + sums.Of(cluster + "rq_pending_active");
  }
  CountSlow(stats, route + "time", sums.Of(route + "timeout"), raw, slow_ms);
  return raw;
}

absl::Status CheckSlow(const std::vector<std::uint32_t>& slow_ms) {
  for (const std::uint32_t threshold : slow_ms) {
    std::uint32_t step = 1;
    while (threshold / step >= 100) step *= 10;
    if (threshold % step == 0 && threshold < kSlowestMs) continue;
    return absl::InvalidArgumentError(
        fmt::format("slow {} ms: Envoy's histograms tell times in two digits: write {}ms or {}ms",
                    threshold, threshold / step * step, (threshold / step + 1) * step));
  }
  return absl::OkStatus();
}

}  // namespace headgate::envoy
