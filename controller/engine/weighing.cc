#include "controller/engine/weighing.h"

#include <algorithm>
#include <cmath>

namespace headgate::engine {
namespace {

constexpr double kMassOfChanges = 0.6;

}  // namespace

double MassOfChange(std::uint32_t change) {
  return kMassOfChanges / (double(change) * (double(change) + 1));
}

void Weighed::Add(const Batch& batch, bool is_steady, bool speaks_for) {
  const double pieces = std::max(1.0, std::ceil(batch.seconds - 1e-9));
  const Batch piece{batch.seconds / pieces, batch.total / pieces, batch.bad / pieces};
  for (double i = 0; i < pieces; ++i) {
    recent.Add(piece);
    evidence.AddAgainst(piece, kMassPerSecond * piece.seconds, is_steady);
    if (speaks_for) evidence.AddFor(piece);
  }
}

void Weighed::Count(const std::string& agent, double total, double bad) {
  open.total += total;
  open.bad += bad;
  Batch& alone = agents.try_emplace(agent, limit, bar).first->second.open;
  alone.total += total;
  alone.bad += bad;
}

void Weighed::WeighOpen(double seconds, bool is_steady, bool speaks_for) {
  open.seconds = seconds;
  Add(open, is_steady, speaks_for);
  // One agent alone is the sum.
  if (agents.size() > 1) {
    for (auto& [name, agent] : agents) {
      const double pieces = std::max(1.0, std::ceil(seconds - 1e-9));
      const Batch piece{seconds / pieces, agent.open.total / pieces, agent.open.bad / pieces};
      for (double i = 0; i < pieces; ++i) {
        agent.evidence.AddAgainst(piece, kMassPerSecond * piece.seconds, is_steady);
      }
    }
  }
  DropOpen();
}

void Weighed::DropOpen() {
  open = {.seconds = 0};
  for (auto& [name, agent] : agents) agent.open = {.seconds = 0};
}

void Weighed::OnRaised(double mass) {
  evidence.OnRaised(mass);
  for (auto& [name, agent] : agents) agent.evidence.OnRaised(mass);
}

void Weighed::OnLowered(double mass) {
  evidence.OnLowered(mass);
  for (auto& [name, agent] : agents) agent.evidence.OnLowered(mass);
}

double Weighed::Ratio(double seconds) const {
  const Batch sum = recent.Sum(seconds);
  return sum.total > 0 ? sum.bad / sum.total : 0;
}

}  // namespace headgate::engine
