#include "controller/plan/short_forms.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/nearest.h"
#include "controller/engine/field_errors.h"
#include "controller/engine/names.h"
#include "controller/engine/plan_limits.h"
#include "controller/plan/scalars.h"
#include "headgate/v1/plan.pb.h"

namespace headgate::plan {
namespace {

using engine::Quoted;

absl::Status Refuse(const std::string& text) { return absl::InvalidArgumentError(text); }

// "a..b" as {"a", "b"}; spaces around the dots are allowed.
std::pair<std::string_view, std::string_view> SplitRange(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return {};
  std::string_view from = text.substr(0, dots);
  std::string_view to = text.substr(dots + 2);
  while (!from.empty() && from.back() == ' ') from.remove_suffix(1);
  while (!to.empty() && to.front() == ' ') to.remove_prefix(1);
  return {from, to};
}

absl::Status ReadAdmitKey(std::string_view text, v1::AdmitKey& out) {
  if (!engine::IsAdmitKey(text)) {
    return Refuse(
        fmt::format("{} names no user key: write {}", Quoted(text), engine::kAdmitKeyRule));
  }
  const std::size_t space = text.find(' ');
  const std::string_view kind = text.substr(0, space);
  if (kind == "client_address") {
    out.set_client_address(true);
  } else if (kind == "cookie") {
    out.set_cookie(std::string(text.substr(space + 1)));
  } else {
    out.set_header(std::string(text.substr(space + 1)));
  }
  return absl::OkStatus();
}

absl::Status ReadRatio(std::string_view text, v1::Ratio& out) {
  const std::vector<std::string> known = {"agents.http_5xx", "agents.connection_errors",
                                          "agents.slower_than(500ms)"};
  v1::AgentRatio& agents = *out.mutable_agents();
  if (text == known[0]) {
    agents.set_metric(v1::AgentRatio::HTTP_5XX);
    return absl::OkStatus();
  }
  if (text == known[1]) {
    agents.set_metric(v1::AgentRatio::CONNECTION_ERRORS);
    return absl::OkStatus();
  }
  constexpr std::string_view kSlower = "agents.slower_than";
  if (text.substr(0, kSlower.size()) == kSlower) {
    agents.set_metric(v1::AgentRatio::SLOWER_THAN);
    const std::string_view rest = text.substr(kSlower.size());
    if (rest.size() < 3 || rest.front() != '(' || rest.back() != ')') {
      return Refuse(
          fmt::format("{} has no threshold: write agents.slower_than(500ms)", Quoted(text)));
    }
    return BindDuration(rest.substr(1, rest.size() - 2), *agents.mutable_slower_than());
  }
  return Refuse(
      fmt::format("unknown signal {}: write {}, or {{prometheus: {{bad: …, total: …}}}}{}",
                  Quoted(text), Join(known), DidYouMean(text, known)));
}

absl::Status ReadSteps(std::string_view text, v1::Steps& out) {
  if (text == "adaptive") {
    out.set_adaptive(true);
    return absl::OkStatus();
  }
  return Refuse(fmt::format("{} is no list: write adaptive, or for example [1%, 10%, 50%, 100%]",
                            Quoted(text)));
}

absl::Status ReadBound(std::string_view text, v1::Bound& out) {
  const auto [soft, hard] = SplitRange(text);
  for (const auto& [side, name] : {std::pair(soft, "soft"), std::pair(hard, "hard")}) {
    YamlNode scalar;
    scalar.kind = YamlNode::Kind::kScalar;
    scalar.text = side;
    const absl::Status bound =
        BindScalar(scalar, *v1::Bound::descriptor()->FindFieldByName(name), out);
    if (!bound.ok()) {
      return Refuse(
          fmt::format("{} is not a bound: write SOFT..HARD, such as 80..95", Quoted(text)));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadDurationRange(std::string_view text, v1::DurationRange& out) {
  const auto [from, to] = SplitRange(text);
  if (!BindDuration(from, *out.mutable_from()).ok() || !BindDuration(to, *out.mutable_to()).ok()) {
    return Refuse(fmt::format("{} is not a range of durations: write FROM..TO, such as 10s..5m",
                              Quoted(text)));
  }
  return absl::OkStatus();
}

absl::Status ReadShareRange(std::string_view text, v1::ShareRange& out) {
  const auto [soft, hard] = SplitRange(text);
  for (const auto& [side, name] : {std::pair(soft, "soft_ppm"), std::pair(hard, "hard_ppm")}) {
    YamlNode scalar;
    scalar.kind = YamlNode::Kind::kScalar;
    scalar.text = side;
    const absl::Status bound =
        BindScalar(scalar, *v1::ShareRange::descriptor()->FindFieldByName(name), out);
    if (!bound.ok()) {
      return Refuse(fmt::format("{} is not a range of shares: write SOFT..HARD, such as 80%..95%",
                                Quoted(text)));
    }
  }
  return absl::OkStatus();
}

// "16MiB", "4GiB".
std::optional<std::uint32_t> MebibytesOf(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit == "MiB") return number;
  if (unit == "GiB" && number <= engine::kMebibytesMax / 1'024) return number * 1'024;
  return std::nullopt;
}

absl::Status ReadMebibyteRange(std::string_view text, v1::MebibyteRange& out) {
  const auto [from, to] = SplitRange(text);
  const auto soft = MebibytesOf(from);
  const auto hard = MebibytesOf(to);
  if (!soft || !hard) {
    return Refuse(fmt::format("{} is not a range of sizes: write SOFT..HARD, such as 16MiB..256MiB",
                              Quoted(text)));
  }
  out.set_soft_mib(*soft);
  out.set_hard_mib(*hard);
  return absl::OkStatus();
}

absl::Status ReadData(std::string_view text, v1::DatabaseData& out) {
  out.set_none(true);
  if (text == "none") return absl::OkStatus();
  return Refuse(
      fmt::format("{} does not say how data are compared: write none, or for example "
                  "{{cpu_share: 20%}}",
                  Quoted(text)));
}

absl::Status ReadDataPreflight(std::string_view text, v1::DataPreflight& out) {
  if (text == "whole") {
    out.set_whole(true);
    return absl::OkStatus();
  }
  if (BindDuration(text, *out.mutable_at_most()).ok()) return absl::OkStatus();
  return Refuse(
      fmt::format("{} is not how long preflight waits for data: write whole, or a "
                  "duration such as 5m",
                  Quoted(text)));
}

absl::Status ReadExpected(std::string_view text, v1::ExpectedSchema& out) {
  out.set_file(std::string(text));
  return absl::OkStatus();
}

// Hands the message on under its own type; the binder looks forms up by that type.
template <typename Type>
ShortForm Scalar(absl::Status (*read)(std::string_view, Type&), const std::string& example) {
  return ShortForm{.read =
                       [read](std::string_view text, google::protobuf::Message& out) {
                         return read(text, static_cast<Type&>(out));
                       },
                   .list_field = "",
                   .example = example};
}

}  // namespace

ShortForms PlanShortForms() {
  ShortForms forms;
  forms["headgate.v1.AdmitKey"] =
      Scalar<v1::AdmitKey>(ReadAdmitKey, std::string(engine::kAdmitKeyRule));
  forms["headgate.v1.Ratio"] =
      Scalar<v1::Ratio>(ReadRatio, "`agents.http_5xx` or {prometheus: {bad: …, total: …}}");
  forms["headgate.v1.Bound"] = Scalar<v1::Bound>(ReadBound, "`80..95`");
  forms["headgate.v1.DurationRange"] = Scalar<v1::DurationRange>(ReadDurationRange, "`10s..5m`");
  forms["headgate.v1.ShareRange"] = Scalar<v1::ShareRange>(ReadShareRange, "`80%..95%`");
  forms["headgate.v1.MebibyteRange"] =
      Scalar<v1::MebibyteRange>(ReadMebibyteRange, "`16MiB..256MiB`");
  forms["headgate.v1.DatabaseData"] =
      Scalar<v1::DatabaseData>(ReadData, "none, or a map as in {cpu_share: 20%}");
  forms["headgate.v1.DataPreflight"] =
      Scalar<v1::DataPreflight>(ReadDataPreflight, "whole, or a duration such as 5m");
  forms["headgate.v1.ExpectedSchema"] =
      Scalar<v1::ExpectedSchema>(ReadExpected, "a file, such as schema.baseline");
  forms["headgate.v1.Steps"] =
      Scalar<v1::Steps>(ReadSteps, "adaptive, or a list as in [1%, 10%, 50%, 100%]");
  forms["headgate.v1.Steps"].list_field = "shares_ppm";
  return forms;
}

}  // namespace headgate::plan
