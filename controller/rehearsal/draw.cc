#include "controller/rehearsal/draw.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace headgate::rehearsal {
namespace {

// Below this mean, counting up is faster than rejection, and rejection is not exact.
constexpr double kCountingMeanMax = 10;

std::uint64_t Mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

// ln(k!): Stirling's series is exact to 1e-11 from 10 on. std::lgamma is slower, and not reentrant.
double LogFactorial(double k) {
  static constexpr std::array<double, 10> kSmall = {0,
                                                    0,
                                                    0.693147180559945309,
                                                    1.79175946922805500,
                                                    3.17805383034794562,
                                                    4.78749174278204599,
                                                    6.57925121201010100,
                                                    8.52516136106541430,
                                                    10.6046029027452502,
                                                    12.8018274800814696};
  if (k < 10) return kSmall[static_cast<std::size_t>(k)];
  const double x = k + 1;
  const double square = x * x;
  return (x - 0.5) * std::log(x) - x + 0.918938533204672742 +
         (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / x;
}

}  // namespace

Draw::Draw(std::uint64_t seed, Purpose purpose, std::uint64_t second)
    : state_(Mix(Mix(seed + 0x9E3779B97F4A7C15ULL * (static_cast<std::uint64_t>(purpose) + 1)) +
                 second)) {}

double Draw::Uniform() {
  state_ += 0x9E3779B97F4A7C15ULL;
  return (double(Mix(state_) >> 12) + 0.5) * 0x1p-52;
}

double Draw::Normal() {
  const double radius = std::sqrt(-2 * std::log(Uniform()));
  return radius * std::cos(2 * std::numbers::pi * Uniform());
}

std::int64_t Draw::Poisson(double mean) {
  if (mean <= 0) return 0;
  if (mean >= kCountingMeanMax) return PoissonByRejection(mean);
  double left = Uniform();
  double chance = std::exp(-mean);
  std::int64_t count = 0;
  // The chance underflows to 0 long before the sum would miss a draw.
  while (left > chance && chance > 0) {
    left -= chance;
    ++count;
    chance *= mean / double(count);
  }
  return count;
}

std::int64_t Draw::PoissonByRejection(double mean) {
  const double b = 0.931 + 2.53 * std::sqrt(mean);
  const double a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  const double quick = 0.9277 - 3.6224 / (b - 2);
  const double log_mean = std::log(mean);
  while (true) {
    const double u = Uniform() - 0.5;
    const double v = Uniform();
    const double edge = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / edge + b) * u + mean + 0.43);
    if (edge >= 0.07 && v <= quick) return static_cast<std::int64_t>(k);
    if (k < 0 || (edge < 0.013 && v > edge)) continue;
    const double log_v = std::log(v * inverse_alpha / (a / (edge * edge) + b));
    if (log_v <= k * log_mean - mean - LogFactorial(k)) return static_cast<std::int64_t>(k);
  }
}

std::int64_t Draw::Binomial(std::int64_t trials, double chance) {
  if (trials <= 0 || chance <= 0) return 0;
  if (chance >= 1) return trials;
  if (chance > 0.5) return trials - Binomial(trials, 1 - chance);
  const double n = double(trials);
  return n * chance < kCountingMeanMax ? BinomialByCounting(n, chance)
                                       : BinomialByRejection(n, chance);
}

std::int64_t Draw::BinomialByCounting(double trials, double chance) {
  const double odds = chance / (1 - chance);
  double left = Uniform();
  double here = std::exp(trials * std::log1p(-chance));
  double count = 0;
  while (left > here && count < trials) {
    left -= here;
    here *= odds * (trials - count) / (count + 1);
    ++count;
  }
  return static_cast<std::int64_t>(count);
}

std::int64_t Draw::BinomialByRejection(double trials, double chance) {
  const double deviation = std::sqrt(trials * chance * (1 - chance));
  const double b = 1.15 + 2.53 * deviation;
  const double a = -0.0873 + 0.0248 * b + 0.01 * chance;
  const double centre = trials * chance + 0.5;
  const double quick = 0.92 - 4.2 / b;
  const double alpha = (2.83 + 5.1 / b) * deviation;
  const double log_odds = std::log(chance / (1 - chance));
  const double mode = std::floor((trials + 1) * chance);
  const double at_mode = LogFactorial(mode) + LogFactorial(trials - mode);
  while (true) {
    const double u = Uniform() - 0.5;
    const double v = Uniform();
    const double edge = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / edge + b) * u + centre);
    if (edge >= 0.07 && v <= quick) return static_cast<std::int64_t>(k);
    if (k < 0 || k > trials) continue;
    const double log_v = std::log(v * alpha / (a / (edge * edge) + b));
    const double log_chance =
        at_mode - LogFactorial(k) - LogFactorial(trials - k) + (k - mode) * log_odds;
    if (log_v <= log_chance) return static_cast<std::int64_t>(k);
  }
}

}  // namespace headgate::rehearsal
