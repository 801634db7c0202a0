#include "common/log/log.h"

#include <unistd.h>

#include "common/log/format.h"
#include "common/log/line_writer.h"

namespace headgate {
namespace {

std::string FormatLine(LogFormat format, TimePoint at, LogLevel level, std::string_view event,
                       const Log::Fields& fields) {
  return format == LogFormat::kJson ? FormatJsonLine(at, level, event, fields)
                                    : FormatTextLine(at, level, event, fields);
}

}  // namespace

Log::Log(const Clock& clock, Options options)
    : clock_(clock),
      options_(options),
      writer_(std::make_unique<LineWriter>(options.fd, kLinesWaitingMax)) {}

Log::~Log() = default;

LogFormat Log::FormatForStderr() {
  return isatty(STDERR_FILENO) == 1 ? LogFormat::kText : LogFormat::kJson;
}

void Log::Debug(std::string_view event, const Fields& fields) {
  Write(LogLevel::kDebug, event, fields);
}
void Log::Info(std::string_view event, const Fields& fields) {
  Write(LogLevel::kInfo, event, fields);
}
void Log::Warning(std::string_view event, const Fields& fields) {
  Write(LogLevel::kWarning, event, fields);
}
void Log::Error(std::string_view event, const Fields& fields) {
  Write(LogLevel::kError, event, fields);
}

std::uint64_t Log::Dropped() const { return writer_->Dropped(); }

bool Log::Flush(Duration patience) { return writer_->Flush(patience); }

void Log::Write(LogLevel level, std::string_view event, const Fields& fields) {
  if (level < options_.level) return;
  const TimePoint now = clock_.Now();
  if (const std::uint64_t lost = writer_->TakeUnreported(); lost > 0) {
    writer_->Write(FormatLine(options_.format, now, LogLevel::kWarning, "log_lines_dropped",
                              {{"lines", lost}, {"why", "the log's sink took no more"}}));
  }
  writer_->Write(FormatLine(options_.format, now, level, event, fields));
}

}  // namespace headgate
