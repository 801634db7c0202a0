// A running agent's endpoint, seen from another process: for the commands on the box and `check`.
// It reads what the endpoint tells, and changes the share file, to which the running agent goes
// down by itself; up it goes by its own keeper, once that has seen the operator's word. One thread.
#pragma once

#include <string>

#include "agents/core/enforcer.h"
#include "agents/core/prober.h"
#include "agents/core/share_store.h"
#include "agents/endpoint/endpoint.h"

namespace headgate::endpoint {

class Outside : public agent::Enforcer {
 public:
  // For the agent to do as it is told; below kCallMax.
  static constexpr Duration kObeyMax{1500};

  explicit Outside(Settings settings);

  agent::Reading Read() override;
  absl::Status Write(const agent::Apply& apply) override { return file_.Write(apply); }
  absl::Status Sync() override { return file_.Sync(); }
  agent::ApplyOutcome Put(const agent::Apply& apply) override;
  absl::Status Try(Share share) override { return prober_.Try(share); }
  absl::Status TryWaitPage() const { return prober_.TryWaitPage(); }
  absl::StatusOr<agent::RawCounters> ReadCounters() override;
  agent::Description Describe() const override;

 private:
  absl::StatusOr<agent::ShareFile> Ask() const;
  absl::Status WaitFor(const agent::ShareFile& wanted, agent::Direction direction) const;

  const Settings settings_;
  const agent::ShareStore file_;
  agent::Prober prober_;
};

}  // namespace headgate::endpoint
