// Asks a web server one thing at a time, blocking, within a deadline.
// One thread owns it; Interrupt may be called from any. Promises: no redirects are followed, no
// proxy is taken from the environment, nothing but http and https, no answer beyond
// kResponseBytesMax is kept, and the caller is back soon after its deadline or Interrupt.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"

namespace headgate::signals {

inline constexpr std::size_t kResponseBytesMax = 1U << 20U;
inline constexpr Duration kConnectMax{1'000};

struct HttpAnswer {
  long status = 0;
  // "503 Service Unavailable", as the server wrote it.
  std::string status_line;
  std::string body;
  // The server's own clock, to the second, if it tells it.
  std::optional<TimePoint> date;
};

class HttpFetcher {
 public:
  HttpFetcher();
  ~HttpFetcher();
  HttpFetcher(const HttpFetcher&) = delete;
  HttpFetcher& operator=(const HttpFetcher&) = delete;

  // A form by POST. Any status is an answer; an error says why there is none: DEADLINE_EXCEEDED,
  // RESOURCE_EXHAUSTED (too long), CANCELLED (interrupted), INVALID_ARGUMENT (the URL),
  // UNAVAILABLE.
  absl::StatusOr<HttpAnswer> Post(const std::string& url, const std::string& form,
                                  Duration patience);
  // Makes the call under way, and all later ones, return CANCELLED soon.
  void Interrupt();

  // `text` as part of a form.
  static std::string Escape(const std::string& text);

 private:
  struct Handles;
  const std::unique_ptr<Handles> handles_;
};

// `url` without user, password, query and fragment, to be shown.
std::string UrlForPeople(const std::string& url);

}  // namespace headgate::signals
