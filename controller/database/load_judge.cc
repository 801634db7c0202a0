#include "controller/database/load_judge.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/duration.h"
#include "common/base/share.h"
#include "controller/database/verdicts.h"
#include "controller/database/words.h"

namespace headgate::database {
namespace {

constexpr std::uint64_t kMillion = 1'000'000;
// Fewer blocks say nothing about a cache: 80 MB.
constexpr std::uint64_t kBlocksMin = 10'000;

std::uint64_t PpmOf(std::uint64_t part, std::uint64_t whole) {
  return static_cast<std::uint64_t>(static_cast<double>(part) * kMillion /
                                    static_cast<double>(whole));
}

// "12 %": of load nobody needs more digits.
std::string Percent(std::uint64_t ppm) {
  return FormatPpm((ppm + kMillion / 2'000) / (kMillion / 1'000) * (kMillion / 1'000));
}

bool HasBegunAnew(const LoadCounters& before, const LoadCounters& now) {
  return now.commits < before.commits || now.rollbacks < before.rollbacks ||
         now.deadlocks < before.deadlocks || now.blocks_hit < before.blocks_hit ||
         now.lock_time_ms < before.lock_time_ms;
}

}  // namespace

LoadJudge::Verdicts LoadJudge::Judge(const std::vector<Server>& servers, TimePoint now) {
  verdicts_ = {};
  for (const Server& server : servers) {
    if (!server.seen.ok()) {
      Add(Severity::kUnknown, "load_unread", server,
          fmt::format("{}: its load could not be read: {}", Called(server.name),
                      std::string(server.seen.status().message())));
      continue;
    }
    JudgeServer(server, *server.seen, now);
  }
  return std::move(verdicts_);
}

void LoadJudge::JudgeServer(const Server& server, const LoadObservation& seen, TimePoint now) {
  const auto [known, is_new] = memories_.try_emplace(server.name);
  Memory& memory = known->second;
  if (!seen.unknown.empty()) {
    Add(Severity::kUnknown, "load_unread", server,
        fmt::format("{}: {}", Called(server.name), seen.unknown));
  }
  JudgeDamage(server, seen, memory, is_new);
  Remember(memory, seen.counters, now);
  JudgeConnections(server, seen);
  JudgeWaiting(server, seen);
  JudgeCounters(server, memory);
}

void LoadJudge::Remember(Memory& memory, const LoadCounters& counters, TimePoint now) {
  std::deque<Sample>& samples = memory.samples;
  if (!samples.empty() && HasBegunAnew(samples.back().counters, counters)) samples.clear();
  samples.push_back({.at = now, .counters = counters});
  while (samples.size() > 1 && now - samples[1].at >= kLoadMemory) samples.pop_front();
}

void LoadJudge::JudgeConnections(const Server& server, const LoadObservation& seen) {
  const std::uint64_t used = PpmOf(seen.connections, seen.connections_max);
  if (used <= bounds_.connections_ppm.soft) return;
  const bool is_hard = used > bounds_.connections_ppm.hard;
  Add(is_hard ? Severity::kFailed : Severity::kDegraded, "connections", server,
      fmt::format("{}: {} of {} connections are taken ({}, over {})", Called(server.name),
                  seen.connections, seen.connections_max, Percent(used),
                  Percent(is_hard ? bounds_.connections_ppm.hard : bounds_.connections_ppm.soft)));
}

void LoadJudge::JudgeWaiting(const Server& server, const LoadObservation& seen) {
  // Long readers are what a physical standby is for; and it takes no locks that could block.
  if (server.role == Role::kPhysical) return;
  if (server.role == Role::kPrimary && seen.longest_transaction > bounds_.longest_transaction) {
    Add(Severity::kDegraded, "long_transaction", server,
        fmt::format("{}: a transaction has been open for {}, over {}: {}", Called(server.name),
                    About(*seen.longest_transaction), FormatDuration(bounds_.longest_transaction),
                    seen.longest_by));
  }
  if (seen.longest_wait > bounds_.lock_wait) {
    Add(Severity::kDegraded, "lock_waits", server,
        fmt::format("{}: {} wait for locks, the first for {}, over {}", Called(server.name),
                    seen.waiting, About(*seen.longest_wait), FormatDuration(bounds_.lock_wait)));
  }
}

void LoadJudge::JudgeCounters(const Server& server, const Memory& memory) {
  const LoadCounters& first = memory.samples.front().counters;
  const LoadCounters& last = memory.samples.back().counters;
  const Duration span = memory.samples.back().at - memory.samples.front().at;
  const std::uint64_t deadlocks = last.deadlocks - first.deadlocks;
  if (deadlocks > bounds_.deadlocks_per_minute) {
    Add(Severity::kDegraded, "deadlocks", server,
        fmt::format("{}: {} deadlocks in the last {}, over {} in a minute", Called(server.name),
                    deadlocks, About(span), bounds_.deadlocks_per_minute));
  }
  const std::uint64_t rollbacks = last.rollbacks - first.rollbacks;
  const std::uint64_t transactions = last.commits - first.commits + rollbacks;
  if (transactions > 0 && transactions >= bounds_.rollbacks_sample) {
    const std::uint64_t share = PpmOf(rollbacks, transactions);
    const bool is_hard = share > bounds_.rollbacks_ppm.hard;
    if (share > bounds_.rollbacks_ppm.soft) {
      Add(is_hard ? Severity::kFailed : Severity::kDegraded, "rollbacks", server,
          fmt::format("{}: {} of {} transactions of the last {} were rolled back ({}, over {})",
                      Called(server.name), rollbacks, transactions, About(span), Percent(share),
                      Percent(is_hard ? bounds_.rollbacks_ppm.hard : bounds_.rollbacks_ppm.soft)));
    }
  }
  const Duration locked(static_cast<std::int64_t>(last.lock_time_ms - first.lock_time_ms));
  if (locked > bounds_.lock_wait) {
    verdicts_.notes.push_back(
        fmt::format("{}: its transactions have waited for row locks for {} in all in the last {}",
                    Called(server.name), About(locked), About(span)));
  }
  const std::uint64_t read = last.blocks_read - first.blocks_read;
  const std::uint64_t blocks = last.blocks_hit - first.blocks_hit + read;
  if (blocks < kBlocksMin) return;
  const std::uint64_t hits = PpmOf(blocks - read, blocks);
  if (hits >= bounds_.cache_hits_ppm) return;
  verdicts_.notes.push_back(fmt::format(
      "{}: {} of the blocks of the last {} were in its cache, below {}: it is cold or too small",
      Called(server.name), Percent(hits), About(span), Percent(bounds_.cache_hits_ppm)));
}

void LoadJudge::JudgeDamage(const Server& server, const LoadObservation& seen, Memory& memory,
                            bool is_new) {
  const std::uint64_t failures = seen.counters.checksum_failures;
  if (!seen.has_checksums) {
    verdicts_.notes.push_back(
        fmt::format("{}: data checksums are off there: a damaged page goes unseen until amcheck or "
                    "a reader stumbles over it",
                    Called(server.name)));
    return;
  }
  // A count that fell was reset.
  if (is_new || failures < memory.failures_known) memory.failures_known = failures;
  if (failures > memory.failures_known) {
    return Add(Severity::kFailed, "page_corrupt", server,
               fmt::format("{}: {} page(s) have failed their checksum since the first look, the "
                           "last at {} (in {}): its storage or memory is damaged; take it out, and "
                           "build it anew from a sound server",
                           Called(server.name), failures - memory.failures_known, seen.last_damage,
                           seen.damaged),
               /*drains=*/true);
  }
  if (failures == 0) return;
  verdicts_.notes.push_back(
      fmt::format("{}: {} page(s) failed their checksum before the first look, the last at {} (in "
                  "{}): run pg_amcheck there",
                  Called(server.name), failures, seen.last_damage, seen.damaged));
}

void LoadJudge::Add(Severity severity, const char* kind, const Server& server, std::string text,
                    bool drains) {
  verdicts_.findings.push_back(FindingOf(severity, kind, server.name, std::move(text), drains));
}

}  // namespace headgate::database
