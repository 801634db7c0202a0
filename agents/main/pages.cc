#include "agents/main/pages.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <sstream>

namespace headgate::agent {
namespace {

constexpr std::size_t kPageBytesMax = 1024 * 1024;

std::size_t Take(char* text, std::size_t size, std::size_t count, void* target) {
  std::string& page = *static_cast<std::string*>(target);
  if (page.size() + size * count > kPageBytesMax) return 0;
  page.append(text, size * count);
  return size * count;
}

}  // namespace

absl::StatusOr<AgentPages> ParsePages(const std::string& exposition) {
  AgentPages pages;
  bool is_agent = false;
  std::istringstream lines(exposition);
  std::string name;
  std::string value;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (!(words >> name >> value)) continue;
    const double number = std::strtod(value.c_str(), nullptr);
    if (name == "headgate_local_connected") {
      is_agent = true;
      pages.is_connected = number > 0;
    }
    constexpr std::string_view kOverdue = "headgate_local_overdue_seconds{gate=\"";
    if (!name.starts_with(kOverdue) || number <= 0) continue;
    const std::string gate = name.substr(kOverdue.size(), name.rfind('"') - kOverdue.size());
    pages.overdue[gate] = std::chrono::seconds(static_cast<std::int64_t>(number));
  }
  if (!is_agent) return absl::InvalidArgumentError("something else than an agent answers there");
  return pages;
}

absl::StatusOr<AgentPages> AskPages(const std::string& address) {
  if (address.empty()) {
    return absl::FailedPreconditionError(
        "agent.yaml names no listener to ask (metrics: 127.0.0.1:9465)");
  }
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  if (curl == nullptr) return absl::UnavailableError("cannot ask it");
  std::string page;
  const std::string url = fmt::format("http://{}/metrics", address);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(kPagesMax.count()));
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &page);
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    return absl::UnavailableError(
        fmt::format("{} does not answer: {}", url, curl_easy_strerror(code)));
  }
  return ParsePages(page);
}

}  // namespace headgate::agent
