// What a load balancer is answered, in the words that it understands. Pure: any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "agents/core/forecast.h"
#include "agents/core/wait_page.h"
#include "agents/endpoint/admission.h"
#include "agents/endpoint/question.h"

namespace headgate::endpoint {

// "in", "bypass", "out" or "limited": for the load balancer's log.
inline constexpr char kVerdictHeader[] = "X-Headgate-Verdict";
// There is nothing new to keep.
inline constexpr char kKeptHeader[] = "X-Headgate-Kept";

struct Answer {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Of the gate's waiting page.
struct Page {
  std::string gate;
  agent::WaitPages pages{};
};

// `row`: what is foretold of the bucket, if anything is. /authz: 200, or 503 with the page.
// /authz/nginx: 204 (200 where it keeps answers), or 403, because nothing else is an answer to
// nginx. /authz/envoy: 200, or 429 with the page, because Envoy takes a 5xx for an error.
Answer AnswerOf(const Ruling& ruling, const Question& question, Dialect dialect, const Page& page,
                const agent::ForecastRow* row = nullptr);

}  // namespace headgate::endpoint
