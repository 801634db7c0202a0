#include "agents/core/http_call.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace headgate::agent {
namespace {

struct Taking {
  HttpAnswer& answer;
  std::size_t bytes_max;
};

std::size_t TakeBody(char* text, std::size_t size, std::size_t count, void* into) {
  const Taking& taking = *static_cast<Taking*>(into);
  std::string& body = taking.answer.body;
  const std::size_t room = taking.bytes_max - std::min(taking.bytes_max, body.size());
  body.append(text, std::min(size * count, room));
  taking.answer.is_cut = taking.answer.is_cut || size * count > room;
  return size * count;
}

std::size_t TakeHeader(char* text, std::size_t size, std::size_t count, void* answer) {
  const std::string_view line(text, size * count);
  constexpr std::size_t kNameSize = sizeof kGateHeader - 1;
  const bool is_gate = line.size() > kNameSize && line[kNameSize] == ':' &&
                       strncasecmp(line.data(), kGateHeader, kNameSize) == 0;
  if (!is_gate) return line.size();
  std::string_view value = line.substr(kNameSize + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.remove_suffix(1);
  static_cast<HttpAnswer*>(answer)->gate = std::string(value);
  return line.size();
}

}  // namespace

absl::StatusOr<HttpAnswer> Call(const HttpCall& call) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  if (!curl) return absl::InternalError("cannot make an HTTP client");
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr,
                                                                      &curl_slist_free_all);
  for (const std::string& header : call.headers) {
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  }
  HttpAnswer answer;
  Taking taking{answer, call.body_bytes_max};
  curl_easy_setopt(curl.get(), CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(call.patience.count()));
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  if (!call.unix_socket.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, call.unix_socket.c_str());
  }
  if (call.is_post) {
    curl_easy_setopt(curl.get(), CURLOPT_POST, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, 0L);
  }
  // To loopback; the certificate names the public site.
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &taking);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, &TakeHeader);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &answer);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return absl::UnavailableError(
        fmt::format("{} got no answer: {}", call.url, curl_easy_strerror(code)));
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace headgate::agent
