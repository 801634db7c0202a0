// Random numbers for a rehearsal. Each purpose has a stream of its own in each second, so that what
// a policy does in one second changes no noise of another: two policies under the same seed meet
// the same bursts. Values; one thread at a time each.
#pragma once

#include <cstdint>

namespace headgate::rehearsal {

enum class Purpose : std::uint64_t {
  kRequests,
  kErrors,
  kSlow,
  kCorrelation,
  kBursts,
  kUtilisation,
  kFailingUsers,
};

// SplitMix64 (Steele, Lea, Flood 2014; it passes BigCrush), started at a hash of its three
// coordinates: nothing to warm up, nothing to carry from second to second.
class Draw {
 public:
  Draw(std::uint64_t seed, Purpose purpose, std::uint64_t second);

  // In (0, 1).
  double Uniform();
  // Mean 0, deviation 1 (Box and Muller).
  double Normal();
  // Exact: counts up the distribution below a mean of 10, from there Hörmann's transformed
  // rejection (PTRS: "The transformed rejection method for generating Poisson random variables",
  // 1993).
  std::int64_t Poisson(double mean);
  // Exact, in the same two ways (BTRS: Hörmann, "The generation of binomial random variates",
  // 1993).
  std::int64_t Binomial(std::int64_t trials, double chance);

 private:
  std::int64_t PoissonByRejection(double mean);
  std::int64_t BinomialByCounting(double trials, double chance);
  std::int64_t BinomialByRejection(double trials, double chance);

  std::uint64_t state_;
};

}  // namespace headgate::rehearsal
