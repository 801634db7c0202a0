// A load balancer and a disk that behave: they fail when told, lose their memory as the real ones
// do, and can be killed before or after each effect. One thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/core/enforcer.h"
#include "agents/core/errands.h"
#include "agents/core/store.h"

namespace headgate::agent {

// Thrown by a fake in the middle of an effect: the agent's process is killed there.
struct Killed {};

class FakeEnforcer : public Enforcer {
 public:
  explicit FakeEnforcer(Share share) : memory_(share), file_(share) {}

  Reading Read() override {
    Reading reading;
    reading.at_next_start = file_;
    if (is_down) {
      reading.trouble = "nobody listens";
      return reading;
    }
    reading.in_force = memory_;
    reading.retry_after_s = retry_after_s_;
    reading.instance = std::to_string(generation_);
    return reading;
  }
  absl::Status Write(const Apply& apply) override {
    before_effect();
    if (file_fails) return absl::ResourceExhaustedError("the map's disk is full");
    file_ = apply.share;
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    ++syncs;
    return sync_fails ? absl::UnavailableError("the map's disk does not sync") : absl::OkStatus();
  }
  ApplyOutcome Put(const Apply& apply) override {
    ApplyOutcome outcome;
    outcome.at_next_start = Write(apply);
    before_effect();
    if (apply.direction == Direction::kUp && file_fails) {
      outcome.in_memory = absl::FailedPreconditionError("not raised");
    } else if (is_down) {
      outcome.in_memory = absl::UnavailableError("nobody listens");
    } else {
      memory_ = apply.share;
      retry_after_s_ = apply.retry_after_s;
    }
    before_effect();
    return outcome;
  }
  absl::Status Foretell(const Forecast& forecast) override {
    if (foretelling_fails) return absl::UnavailableError("nobody takes it");
    foretold.push_back(forecast);
    return absl::OkStatus();
  }
  absl::Status Try(Share share) override {
    if (share == memory_ && !is_down) return absl::OkStatus();
    return absl::FailedPreconditionError("the probe got the wrong answer");
  }
  absl::StatusOr<RawCounters> ReadCounters() override {
    if (is_down) return absl::UnavailableError("nobody listens");
    counted.instance = std::to_string(generation_);
    return counted;
  }
  Description Describe() const override { return {"fake 1", "cookie headgate_uid", {500}}; }

  void Restart() {
    memory_ = file_;
    ++generation_;
  }
  Share in_force() const { return memory_; }
  Share file() const { return file_; }
  void SetMemory(Share share) { memory_ = share; }

  RawCounters counted;
  bool foretelling_fails = false;
  std::vector<Forecast> foretold;
  bool is_down = false;
  bool file_fails = false;
  bool sync_fails = false;
  int syncs = 0;
  std::function<void()> before_effect = [] {};

 private:
  Share memory_;
  Share file_;
  std::uint32_t retry_after_s_ = 10;
  int generation_ = 1;
};

// Does errands at once, or when told.
class FakeErrands : public Errands {
 public:
  void Run(Errand errand) override {
    if (!is_slow) return errand();
    waiting_.push_back(std::move(errand));
  }
  void Finish() {
    std::vector<Errand> errands = std::move(waiting_);
    waiting_.clear();
    for (const Errand& errand : errands) errand();
  }
  void Forget() { waiting_.clear(); }

  bool is_slow = false;

 private:
  std::vector<Errand> waiting_;
};

class FakeStore : public Store {
 public:
  absl::StatusOr<std::optional<Memory>> LoadMemory() override { return memory_; }
  bool HasMemory() const override { return memory_.has_value(); }
  absl::Status SaveMemory(const Memory& memory) override {
    before_effect();
    if (fails) return absl::ResourceExhaustedError("the state's disk is full");
    memory_ = memory;
    before_effect();
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<LocalOverride>> LoadOverride() override {
    if (!override_status.ok()) return override_status;
    return override_;
  }
  absl::Status SaveOverride(const LocalOverride& local_override) override {
    if (fails) return absl::ResourceExhaustedError("the state's disk is full");
    override_ = local_override;
    return absl::OkStatus();
  }
  absl::Status ReleaseOverride() override {
    override_.reset();
    return absl::OkStatus();
  }
  absl::Status EndOverride(const LocalOverride& ended,
                           const std::optional<LocalOverride>& next) override {
    if (override_ == ended) override_ = next;
    return absl::OkStatus();
  }
  absl::Status SyncOverride() override { return absl::OkStatus(); }
  absl::Status KeepRoom() override {
    ++rooms_kept;
    return absl::OkStatus();
  }
  const std::optional<Memory>& memory() const { return memory_; }
  // The folder with everything in it; a new one is there at once.
  void Lose() {
    memory_.reset();
    override_.reset();
  }

  bool fails = false;
  absl::Status override_status;
  int rooms_kept = 0;
  std::function<void()> before_effect = [] {};

 private:
  std::optional<Memory> memory_;
  std::optional<LocalOverride> override_;
};

}  // namespace headgate::agent
