#include "controller/plan/to_data.h"

#include <fmt/format.h>

#include "controller/plan/to_bounds.h"

namespace headgate::plan {
namespace {

void Put(Duration from, google::protobuf::Duration& to) {
  to.set_seconds(from.count() / 1'000);
  to.set_nanos(static_cast<std::int32_t>(from.count() % 1'000 * 1'000'000));
}

}  // namespace

void SetData(const v1::Database& from, const std::string& path, engine::DatabaseSpec& database,
             engine::FieldErrors& errors) {
  if (!from.tables().empty() && from.tables() != "all") {
    errors.Add(path + ".tables",
               fmt::format("{} is not known: write all, or data: {{tables: [{}]}}",
                           engine::Quoted(from.tables()), from.tables()));
  }
  if (!from.has_data()) return;
  const v1::DatabaseData& data = from.data();
  engine::DataSpec& spec = database.data;
  spec.is_compared = !data.none();
  const bool says_how = data.has_cpu_share_ppm() || data.tables_size() > 0 || data.has_every() ||
                        data.has_preflight();
  if (data.none() && says_how) {
    errors.Add(path + ".data", "none stands beside how data are compared: remove one of the two");
  }
  if (data.has_cpu_share_ppm()) spec.cpu_share_ppm = data.cpu_share_ppm();
  spec.tables.assign(data.tables().begin(), data.tables().end());
  Set(data.has_every(), data.every(), spec.every);
  if (data.preflight().whole()) spec.preflight.reset();
  if (data.preflight().has_at_most()) spec.preflight = ToMillis(data.preflight().at_most());
}

void FillData(const engine::DataSpec& known, v1::Database& database) {
  v1::DatabaseData& data = *database.mutable_data();
  if (!known.is_compared) return;
  data.set_cpu_share_ppm(known.cpu_share_ppm);
  Put(known.every, *data.mutable_every());
  if (!known.preflight) {
    data.mutable_preflight()->set_whole(true);
    return;
  }
  Put(*known.preflight, *data.mutable_preflight()->mutable_at_most());
}

}  // namespace headgate::plan
