// Sequential evidence about one ratio of counts: how much speaks against the share in force, and
// how much for admitting more. Against: an e-process that mixes alternatives above the limit and
// every time at which the platform may have gone bad; it may be looked at after every batch. For: a
// likelihood ratio of sound rates against twice the limit. Both are deflated, because errors of one
// cause come together. Formulas, sources, and what is promised: docs/JUDGEMENT.md.
// A value, pure: no clock, it is told how much time each batch covers. Batches may be of any
// length up to a second; time without data is not told, and changes nothing.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace headgate::engine {

// What was counted in `seconds`; `bad` is a part of `total`.
struct Batch {
  double seconds = 1;
  double total = 0;
  double bad = 0;
};

// What is severe of a usual limit is usual of one above this: there it is measured in units of it.
inline constexpr double kUsualLimitMost = 0.1;

// More bad ones than chance gives at twice the limit.
bool IsBad(const Batch& batch, double limit);
// So many bad ones that waiting helps nobody: 30 % of ten or more, three times the limit where that
// is more, but no more than half way from the limit to all.
bool IsSevere(const Batch& second, double limit);

// The newest batches that make up a span of time.
class Trailing {
 public:
  explicit Trailing(double seconds) : seconds_(seconds) {}
  void Add(const Batch& batch);
  // Of the newest `seconds` at most; a batch is taken whole.
  Batch Sum(double seconds) const;
  Batch Sum() const { return Sum(seconds_); }
  // The batches, oldest first.
  const std::vector<Batch>& batches() const { return batches_; }

 private:
  double seconds_;
  std::vector<Batch> batches_;
};

// How much more the counts of an unchanged share scatter from one ten seconds to the next than
// independent errors would: the correlation that evidence is deflated for. Only the past of the
// same run is used.
class Dispersion {
 public:
  explicit Dispersion(double limit);
  // `is_steady`: the share has been in force, unchanged, for a while.
  void Add(const Batch& batch, bool is_steady);
  // By which a log-likelihood is divided where `rate` events come in a second.
  double Deflation(double rate) const;
  // For alternatives so far from the limit that correlation within it does not explain them.
  double DeflationOfFar(double rate) const;

 private:
  void EndBatch();

  // What is assumed of any platform.
  double assumed_;
  double correlation_;
  Batch open_{.seconds = 0};
  Batch before_{.seconds = 0};
  // Squared differences in units of chance, forgotten slowly.
  double squares_ = 0;
  double weight_ = 0;
  int batches_ = 0;
};

class Sequential {
 public:
  // Far above the bar of any plan.
  static constexpr double kCeiling = 1e5;

  // `limit`: the largest bearable ratio, above 0, at most .99.
  // `ceiling`: beyond it evidence against is forgotten.
  explicit Sequential(double limit, double ceiling = kCeiling);

  // `mass`: the prior probability, spent once, that it went bad at the beginning of this batch.
  void AddAgainst(const Batch& batch, double mass, bool is_steady);
  // Only while the share that is to be proven is in force.
  void AddFor(const Batch& batch);
  // The share changes: evidence for it begins anew, evidence against it after a lowering too.
  void OnRaised(double mass);
  void OnLowered(double mass);
  void ForgetFor() { for_.fill(0); }

  // Its expectation is at most the mass spent, as long as errors are independent and their rate
  // is at most the limit: above 1 / alpha is seen with a probability of at most alpha.
  double Against() const;
  // Natural logarithm.
  double For() const;
  // A second that even twice the limit does not explain came within the last five; is the newest.
  bool WasBad() const { return bad_left_s_ > 0; }
  bool IsBadNow() const { return is_bad_now_; }

 private:
  static constexpr std::size_t kAlternatives = 6;
  static constexpr std::size_t kAdvances = 3;

  // Nats of one bad and of one good event.
  struct Step {
    double bad = 0;
    double good = 0;
    double Of(const Batch& batch) const {
      return batch.bad * bad + (batch.total - batch.bad) * good;
    }
  };
  static Step StepOf(double p, double q);

  double NatsPerSecondMax() const;
  void RememberBursts(const Batch& batch, const Batch& second);

  double limit_;
  double ceiling_;
  std::array<Step, kAlternatives> worse_;
  std::array<Step, kAdvances> sound_;
  Dispersion dispersion_;
  Trailing second_{1};
  std::array<double, kAlternatives> against_{};
  std::array<double, kAlternatives> allowance_{};
  std::array<double, kAdvances> for_{};
  double bad_left_s_ = 0;
  bool is_bad_now_ = false;
  bool is_in_burst_ = false;
  double calm_s_ = 0;
  bool has_passed_burst_ = false;
};

}  // namespace headgate::engine
