#include "controller/rehearsal/draw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

namespace headgate::rehearsal {
namespace {

constexpr int kDraws = 40'000;

struct Moments {
  double mean = 0;
  double variance = 0;
};

Moments MomentsOf(const std::function<double(Draw&)>& take) {
  double sum = 0;
  double squares = 0;
  for (int second = 0; second < kDraws; ++second) {
    Draw draw(7, Purpose::kRequests, std::uint64_t(second));
    const double value = take(draw);
    sum += value;
    squares += value * value;
  }
  const double mean = sum / kDraws;
  return {.mean = mean, .variance = squares / kDraws - mean * mean};
}

// Five standard deviations of a mean, and of a variance (normal approximation).
void ExpectMoments(const Moments& got, const Moments& expected) {
  EXPECT_NEAR(got.mean, expected.mean, 5 * std::sqrt(expected.variance / kDraws));
  EXPECT_NEAR(got.variance, expected.variance,
              5 * expected.variance * std::sqrt((2 + 1 / expected.variance) / kDraws));
}

TEST(Draw, IsTheSameForTheSameSeedPurposeAndSecond) {
  Draw one(1, Purpose::kErrors, 5);
  Draw same(1, Purpose::kErrors, 5);
  Draw other_seed(2, Purpose::kErrors, 5);
  Draw other_purpose(1, Purpose::kSlow, 5);
  Draw other_second(1, Purpose::kErrors, 6);
  const double value = one.Uniform();
  EXPECT_EQ(value, same.Uniform());
  EXPECT_NE(value, other_seed.Uniform());
  EXPECT_NE(value, other_purpose.Uniform());
  EXPECT_NE(value, other_second.Uniform());
}

TEST(Draw, UniformAndNormalHaveTheirMoments) {
  ExpectMoments(MomentsOf([](Draw& draw) { return draw.Uniform(); }),
                {.mean = 0.5, .variance = 1.0 / 12});
  ExpectMoments(MomentsOf([](Draw& draw) { return draw.Normal(); }), {.mean = 0, .variance = 1});
}

TEST(Draw, PoissonHasItsMomentsOnBothSidesOfTheMethods) {
  for (const double mean : {0.02, 0.4, 9.9, 10.0, 40.0, 2'000.0}) {
    SCOPED_TRACE(mean);
    ExpectMoments(MomentsOf([&](Draw& draw) { return double(draw.Poisson(mean)); }),
                  {.mean = mean, .variance = mean});
  }
}

TEST(Draw, BinomialHasItsMomentsOnBothSidesOfTheMethods) {
  for (const auto& [trials, chance] : std::multimap<std::int64_t, double>{{1, 0.3},
                                                                          {8, 0.9},
                                                                          {100, 0.01},
                                                                          {2'000, 0.003},
                                                                          {2'000, 0.005},
                                                                          {2'000, 0.4},
                                                                          {2'000, 0.95}}) {
    SCOPED_TRACE(double(trials) * chance);
    const double n = double(trials);
    ExpectMoments(
        MomentsOf([n = trials, p = chance](Draw& draw) { return double(draw.Binomial(n, p)); }),
        {.mean = n * chance, .variance = n * chance * (1 - chance)});
  }
}

// A chi-square test of the whole shape, where rejection begins.
TEST(Draw, PoissonByRejectionHasTheShapeOfPoisson) {
  constexpr double kMean = 12;
  std::map<std::int64_t, double> counts;
  for (std::uint64_t second = 0; second < kDraws; ++second) {
    ++counts[Draw(11, Purpose::kErrors, second).Poisson(kMean)];
  }
  double chi_square = 0;
  int cells = 0;
  for (int k = 3; k <= 24; ++k) {
    const double expected = kDraws * std::exp(k * std::log(kMean) - kMean - std::lgamma(k + 1.0));
    chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
    ++cells;
  }
  EXPECT_LT(chi_square, cells + 5 * std::sqrt(2.0 * cells));
}

TEST(Draw, CountsStayWithinWhatThereIs) {
  for (std::uint64_t second = 0; second < 1'000; ++second) {
    Draw draw(3, Purpose::kSlow, second);
    EXPECT_EQ(draw.Poisson(0), 0);
    EXPECT_EQ(draw.Binomial(0, 0.5), 0);
    EXPECT_EQ(draw.Binomial(5, 0), 0);
    EXPECT_EQ(draw.Binomial(5, 1), 5);
    EXPECT_EQ(draw.Binomial(5, 1.5), 5);
    const std::int64_t count = draw.Binomial(30, 0.5);
    EXPECT_GE(count, 0);
    EXPECT_LE(count, 30);
  }
}

}  // namespace
}  // namespace headgate::rehearsal
