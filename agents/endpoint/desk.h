// Who asks at which path, and what they are answered. Thread-safe; waits for nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "agents/endpoint/admission.h"
#include "agents/endpoint/answer.h"
#include "agents/endpoint/question.h"
#include "common/base/clock.h"

namespace headgate::endpoint {

inline constexpr char kForwardPath[] = "/authz";
inline constexpr char kNginxPath[] = "/authz/nginx";
inline constexpr char kEnvoyPath[] = "/authz/envoy";
// Where nginx, which shows its users no answer of /authz/nginx, gets the page for who was refused;
// what it gave them as Set-Cookie stands in kGivenHeader.
inline constexpr char kNginxWaitPath[] = "/authz/nginx/wait";
inline constexpr char kGivenHeader[] = "x-headgate-given";

struct Request {
  std::string_view method;
  std::string_view target;
  const Headers& headers;
};

class Desk {
 public:
  // `slow_ms`: told to probes.
  Desk(Admission& admission, Page page, std::vector<std::uint32_t> slow_ms);

  Answer Respond(const Request& request);
  // Of one that asks in words of its own (gRPC).
  // A refusal is 503, whatever the dialect: gRPC tells it apart from an error.
  Answer DecideForEnvoy(const Asked& asked, const Headers& headers);
  // What who is refused is told from now on.
  void Foretell(const agent::Forecast& forecast);
  // Whether there is room for answers that nginx keeps.
  void SayRoom(bool has_room) { has_room_ = has_room; }

 private:
  Answer Decide(const Asked& asked, const Headers& headers, Dialect answer_in);
  Answer WaitForNginx(const Asked& asked, const Headers& headers);
  Answer Probe(const Headers& headers) const;
  Answer With(const Ruling& ruling, const Question& question, Dialect dialect) const;

  Admission& admission_;
  const Page page_;
  const std::vector<std::uint32_t> slow_ms_;
  const SteadyClock clock_;
  std::atomic<std::shared_ptr<const agent::Forecast>> forecast_;
  std::atomic<bool> has_room_{true};
};

}  // namespace headgate::endpoint
