#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/agents/core/settled_gate.h"

namespace headgate::agent {
namespace {

using testing::HasSubstr;

Offer WithKeys(Offer offer) {
  offer.directive.cookie_keys = {.issuing = 5, .keys = {{5, std::string(32, 'x')}}};
  offer.digest = DigestOf(offer.directive);
  return offer;
}

TEST(Gate, PutsNewCookieKeysAndHasNotAppliedBefore) {
  Settled at;
  at.reading.cookie_keys = CookieKeys{};
  at.gate.Observe(at.reading);
  at.gate.Consider(WithKeys(OfferOf(7, 4, "20%")), at.now);
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kReceived);
  EXPECT_EQ(Settle(at.gate, at.reading, at.now), "save 20 %, keys, probe 20 %, ");
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kObserved);
}

TEST(Gate, LowersAndRaisesBeforeItPutsKeys) {
  for (const char* share : {"1%", "50%"}) {
    Settled at;
    at.reading.cookie_keys = CookieKeys{};
    at.gate.Observe(at.reading);
    at.gate.Consider(WithKeys(OfferOf(7, 4, share)), at.now);
    EXPECT_THAT(Settle(at.gate, at.reading, at.now),
                testing::EndsWith("keys, probe " + Percent(share).ToString() + ", "));
  }
}

TEST(Gate, ADirectiveWithoutKeysLeavesThoseThatAreThere) {
  Settled at;
  at.reading.cookie_keys = CookieKeys{.issuing = 5, .keys = {{5, std::string(32, 'x')}}};
  at.gate.Observe(at.reading);
  at.gate.Consider(OfferOf(7, 4, "20%"), at.now);
  EXPECT_EQ(Settle(at.gate, at.reading, at.now), "save 20 %, probe 20 %, ");
}

TEST(Gate, ALoadBalancerThatVerifiesNothingIsAppliedWithoutKeys) {
  Settled at;
  at.gate.Consider(WithKeys(OfferOf(7, 4, "20%")), at.now);
  EXPECT_EQ(Settle(at.gate, at.reading, at.now), "save 20 %, probe 20 %, ");
  EXPECT_EQ(at.gate.Describe(at.now).stage, Stage::kObserved);
}

TEST(Gate, KeysThatCannotBePutAreSaidAndTriedAgain) {
  Settled at;
  at.reading.cookie_keys = CookieKeys{};
  at.gate.Observe(at.reading);
  at.gate.Consider(WithKeys(OfferOf(7, 4, "20%")), at.now);
  at.gate.OnSaved(std::get<Save>(at.gate.NextDuty(at.now)), absl::OkStatus(), at.now);
  at.gate.OnKeysPut(absl::UnavailableError("the disk is full"), at.now);
  EXPECT_THAT(at.gate.Describe(at.now).trouble, HasSubstr("the disk is full"));
  EXPECT_FALSE(std::holds_alternative<PutKeys>(at.gate.NextDuty(at.now)));
  at.now += Gate::kKeysRetry;
  EXPECT_TRUE(std::holds_alternative<PutKeys>(at.gate.NextDuty(at.now)));
}

TEST(Gate, WithTheLoadBalancerDownKeysAreDueAsSoonAsItsFileLacksThem) {
  Settled at;
  at.reading.cookie_keys = CookieKeys{};
  at.gate.Observe(at.reading);
  at.gate.Consider(WithKeys(OfferOf(7, 4, "20%")), at.now);
  at.gate.OnSaved(std::get<Save>(at.gate.NextDuty(at.now)), absl::OkStatus(), at.now);
  at.reading.in_force.reset();
  at.gate.Observe(at.reading);
  EXPECT_TRUE(std::holds_alternative<PutKeys>(at.gate.NextDuty(at.now)));
  at.gate.OnKeysPut(absl::UnavailableError("nobody listens"), at.now);
  EXPECT_THAT(at.gate.Describe(at.now).trouble, HasSubstr("nobody listens"));
  at.reading.cookie_keys = WithKeys(OfferOf(7, 4, "20%")).directive.cookie_keys;
  at.gate.Observe(at.reading);
  // In its file they are.
  EXPECT_EQ(at.gate.Describe(at.now).trouble, "");
  EXPECT_TRUE(std::holds_alternative<Nothing>(at.gate.NextDuty(at.now + Gate::kKeysRetry)));
}

}  // namespace
}  // namespace headgate::agent
