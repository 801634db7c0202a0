#include "tests/bench/judgement/prototype_policy.h"

#include <cmath>

#include "tests/bench/judgement/prototype.h"

namespace headgate::bench {
namespace {

class PrototypePolicy : public Policy {
 public:
  PrototypePolicy(const Site& site, bool has_database)
      : has_database_(has_database),
        ramp_({{.limit = site.limits.errors}, {.limit = site.limits.slow, .counts_slow = true}},
              site.rps) {}

  Share Decide(const rehearsal::Seen& seen) override {
    Observation observation{.seconds = 1, .has_data = seen.has_data};
    const auto total = double(seen.requests);
    observation.checks = {{1, total, double(seen.errors)}, {1, total, double(seen.slow)}};
    if (has_database_) observation.utilisation = seen.utilisation;
    observation.utilisation_age = seen.utilisation_age_s;
    observation.applied = seen.applied.ppm() / 1e6;
    return *Share::FromPpm(std::uint32_t(std::lround(ramp_.Decide(observation) * 1e6)));
  }
  bool RetreatedNow() const override { return ramp_.retreated_now(); }

 private:
  const bool has_database_;
  Prototype ramp_;
};

}  // namespace

std::unique_ptr<Policy> MakePrototype(const Site& site) {
  return std::make_unique<PrototypePolicy>(site, true);
}
std::unique_ptr<Policy> MakePrototypeWithoutDatabase(const Site& site) {
  return std::make_unique<PrototypePolicy>(site, false);
}

}  // namespace headgate::bench
