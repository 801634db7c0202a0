#include "agents/haproxy/prober.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <strings.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "common/base/bucket.h"

namespace headgate::haproxy {
namespace {

struct Answer {
  long status = 0;
  // Of kGateHeader; empty if there was none.
  std::string gate;
};

std::size_t Ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }

std::size_t TakeHeader(char* text, std::size_t size, std::size_t count, void* answer) {
  const std::string_view line(text, size * count);
  constexpr std::size_t kNameSize = sizeof kGateHeader - 1;
  const bool is_gate = line.size() > kNameSize && line[kNameSize] == ':' &&
                       strncasecmp(line.data(), kGateHeader, kNameSize) == 0;
  if (!is_gate) return line.size();
  std::string_view value = line.substr(kNameSize + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.remove_suffix(1);
  static_cast<Answer*>(answer)->gate = std::string(value);
  return line.size();
}

absl::StatusOr<Answer> Fetch(const std::string& url, const std::string& header) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  if (!curl) return absl::InternalError("cannot make an HTTP client");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, header.c_str()), &curl_slist_free_all);
  Answer answer;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(Prober::kPatience.count()));
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  // The probe proves HAProxy's rule and carries no secret; its certificate names the public site.
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Ignore);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, &TakeHeader);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &answer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return absl::UnavailableError(
        fmt::format("the probe {} got no answer: {}", url, curl_easy_strerror(code)));
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

std::string HeaderFor(const UserKey& key, const std::string& value) {
  switch (key.kind) {
    case UserKey::Kind::kCookie:
      return fmt::format("Cookie: {}={}", key.name, value);
    case UserKey::Kind::kHeader:
      return fmt::format("{}: {}", key.name, value);
    case UserKey::Kind::kClientAddress:
      return fmt::format("{}: {}", kProbeKeyHeader, value);
  }
  return "";
}

}  // namespace

Prober::Prober(std::string gate, std::string url, UserKey key)
    : gate_(std::move(gate)), url_(std::move(url)), key_(std::move(key)) {}

absl::Status Prober::Try(Share share) {
  const std::uint32_t width = share.Width();
  if (!keys_ || keys_->first != width) keys_.emplace(width, FindProbeKeys(width, Hash64(gate_)));
  const ProbeKeys& keys = keys_->second;
  if (width > 0) {
    if (absl::Status status = Expect(keys.inside, true, share); !status.ok()) return status;
  }
  if (width < kBuckets) return Expect(keys.outside, false, share);
  return absl::OkStatus();
}

absl::Status Prober::Expect(const std::string& key, bool admitted, Share share) const {
  const absl::StatusOr<Answer> answer = Fetch(url_, HeaderFor(key_, key));
  if (!answer.ok()) return answer.status();
  if (answer->gate != gate_) {
    return absl::FailedPreconditionError(fmt::format(
        "the probe {} was answered with {} {}: put the gate's snippet above every other rule of "
        "that frontend",
        url_, answer->status,
        answer->gate.empty() ? "by something else than the gate's rule"
                             : fmt::format("by the rule of gate '{}'", answer->gate)));
  }
  const long expected = admitted ? 200 : 503;
  if (answer->status == expected) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "at {} the probe with a key just {} the share got {}, not {}: HAProxy does not enforce what "
      "its map says, or takes another user key than '{}'",
      share.ToString(), admitted ? "inside" : "outside", answer->status, expected,
      key_.ToString()));
}

}  // namespace headgate::haproxy
