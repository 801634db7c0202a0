#include "controller/signals/http_fetcher.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string_view>

#include "common/base/check.h"
#include "common/base/duration.h"

namespace headgate::signals {
namespace {

// What the callbacks of one transfer fill.
struct Transfer {
  HttpAnswer answer;
  bool is_too_long = false;
};

std::size_t OnBody(char* bytes, std::size_t, std::size_t count, void* context) {
  auto* transfer = static_cast<Transfer*>(context);
  if (transfer->answer.body.size() + count > kResponseBytesMax) {
    transfer->is_too_long = true;
    return 0;  // ends the transfer
  }
  transfer->answer.body.append(bytes, count);
  return count;
}

std::size_t OnHeader(char* bytes, std::size_t, std::size_t count, void* context) {
  auto* transfer = static_cast<Transfer*>(context);
  std::string_view line(bytes, count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    const std::size_t space = line.find(' ');
    transfer->answer.status_line =
        space == std::string_view::npos ? "" : std::string(line.substr(space + 1));
  }
  constexpr std::string_view kDate = "date:";
  if (line.size() > kDate.size() && curl_strnequal(line.data(), kDate.data(), kDate.size()) != 0) {
    const std::time_t seconds =
        curl_getdate(std::string(line.substr(kDate.size())).c_str(), nullptr);
    if (seconds > 0) transfer->answer.date = TimePoint(std::chrono::seconds(seconds));
  }
  return count;
}

absl::Status Refusal(CURLcode code, const Transfer& transfer, Duration patience) {
  if (transfer.is_too_long) {
    return absl::ResourceExhaustedError(
        fmt::format("its answer is longer than {} bytes", kResponseBytesMax));
  }
  switch (static_cast<int>(code)) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(
          fmt::format("no answer within {}", FormatDuration(patience)));
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return absl::InvalidArgumentError("write its address as http://host:port or https://…");
    case CURLE_PARTIAL_FILE:
      return absl::UnavailableError(
          fmt::format("its answer was cut off after {} bytes", transfer.answer.body.size()));
    case CURLE_COULDNT_CONNECT:
      return absl::UnavailableError("nobody answers there (connection refused or unreachable)");
    default:
      return absl::UnavailableError(curl_easy_strerror(code));
  }
}

}  // namespace

struct HttpFetcher::Handles {
  CURL* easy = curl_easy_init();
  CURLM* multi = curl_multi_init();
  std::atomic<bool> is_interrupted = false;
};

HttpFetcher::HttpFetcher() : handles_(std::make_unique<Handles>()) {
  HEADGATE_CHECK(handles_->easy != nullptr && handles_->multi != nullptr);  // only without memory
  CURL* easy = handles_->easy;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(kConnectMax.count()));
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "headgate/" HEADGATE_VERSION);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  // Do not wait for the thread of a name lookup that hangs.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

HttpFetcher::~HttpFetcher() {
  curl_easy_cleanup(handles_->easy);
  curl_multi_cleanup(handles_->multi);
}

absl::StatusOr<HttpAnswer> HttpFetcher::Post(const std::string& url, const std::string& form,
                                             Duration patience) {
  Transfer transfer;
  CURL* easy = handles_->easy;
  CURLM* multi = handles_->multi;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form.size()));
  curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, form.data());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(patience.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  HEADGATE_CHECK(curl_multi_add_handle(multi, easy) == CURLM_OK);
  // A multi handle for one transfer, because only that can be woken from another thread.
  int running = 1;
  while (running > 0 && !handles_->is_interrupted) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running > 0) curl_multi_poll(multi, nullptr, 0, 1'000, nullptr);
  }
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  curl_multi_remove_handle(multi, easy);
  if (handles_->is_interrupted) return absl::CancelledError("interrupted");
  if (code != CURLE_OK) return Refusal(code, transfer, patience);
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer.answer.status);
  return std::move(transfer.answer);
}

void HttpFetcher::Interrupt() {
  handles_->is_interrupted = true;
  curl_multi_wakeup(handles_->multi);
}

std::string HttpFetcher::Escape(const std::string& text) {
  const std::unique_ptr<char, decltype(&curl_free)> escaped(
      curl_easy_escape(nullptr, text.data(), static_cast<int>(text.size())), &curl_free);
  HEADGATE_CHECK(escaped != nullptr);  // only without memory
  return escaped.get();
}

std::string UrlForPeople(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return "(not a URL)";
  for (const CURLUPart part :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(parsed.get(), part, nullptr, 0);
  }
  char* text = nullptr;
  if (curl_url_get(parsed.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return "(not a URL)";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  std::string shown = text;
  while (!shown.empty() && shown.back() == '/') shown.pop_back();
  return shown;
}

}  // namespace headgate::signals
