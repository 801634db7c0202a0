// What a check says, and why. A verdict of UNKNOWN is its own kind: nothing leads from it up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace headgate::engine {

enum class Verdict { kHealthy, kDegraded, kFailed, kUnknown };
enum class UnknownWhy {
  // Not unknown.
  kNone,
  // The source is silent. Holds, and past the plan's patience pages.
  kNoData,
  // The source answers and the sample is small. Waits for more, and never retreats.
  kTooFew,
  // The source answers, and has not finished looking. Only preflight waits for that.
  kPending,
};

struct Judgement {
  Verdict verdict = Verdict::kUnknown;
  UnknownWhy unknown_why = UnknownWhy::kNoData;
  // Proven drift or divergence of a database: back to 0 %, whatever the check says otherwise.
  bool drains = false;
  // The same where the plan says `on_drift: hold`: everybody stays, and a person is asked for.
  bool holds = false;
  // "0.31 %" of "1 %"; "120" of "80..95".
  std::string value;
  std::string bound;
  // One line for people: sample, age, what would unblock it.
  std::string detail;
  // Of evidence that does not prove the share yet: "1.8 of 3.0".
  std::string unproven;
  // Of the newest reading.
  std::optional<Duration> age;
  std::vector<std::string> findings;
  // For people; they changed nothing.
  std::vector<std::string> notes;
};

const char* NameOf(Verdict verdict);

}  // namespace headgate::engine
