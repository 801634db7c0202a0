#include "tests/bench/judgement/restarted.h"

#include <optional>
#include <utility>

namespace headgate::bench {
namespace {

class Restarted : public Policy {
 public:
  explicit Restarted(std::function<std::unique_ptr<Policy>()> make)
      : make_(std::move(make)), policy_(make_()) {}

  Share Decide(const rehearsal::Seen& seen) override {
    retreated_now_ = false;
    if (again_at_s_ && seen.at_s < *again_at_s_) return Share::None();
    if (again_at_s_) {
      again_at_s_.reset();
      policy_ = make_();
      began_s_ = seen.at_s;
      return policy_->Decide({});
    }
    // A policy's clock starts with its own run.
    rehearsal::Seen since_start = seen;
    since_start.at_s -= began_s_;
    const Share share = policy_->Decide(since_start);
    retreated_now_ = policy_->RetreatedNow();
    if (retreated_now_) again_at_s_ = seen.at_s + kPersonTakes_s;
    return share;
  }

  bool RetreatedNow() const override { return retreated_now_; }

 private:
  const std::function<std::unique_ptr<Policy>()> make_;
  std::unique_ptr<Policy> policy_;
  std::int64_t began_s_ = 0;
  std::optional<std::int64_t> again_at_s_;
  bool retreated_now_ = false;
};

}  // namespace

std::unique_ptr<Policy> RestartedByAPerson(std::function<std::unique_ptr<Policy>()> make) {
  return std::make_unique<Restarted>(std::move(make));
}

}  // namespace headgate::bench
