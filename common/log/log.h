// Structured logs: one line per event, JSON for machines or key=value for a terminal. Passed by
// reference, never global.
// Thread-safe. Promises: a call never blocks on the sink, a full or broken one neither blocks nor
// ends the program (lines are dropped, counted, and the count is logged when there is room again),
// and a value cannot forge a line, a field or a terminal sequence.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "common/base/clock.h"

namespace headgate {

class LineWriter;

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kJson, kText };

// One field of an event: {"gate", "shop"}, {"share_ppm", 50000}, {"durable", true}.
struct LogField {
  using Value = std::variant<std::string, std::int64_t, std::uint64_t, double, bool>;

  template <typename T>
  LogField(std::string_view field_key, const T& field_value)
      : key(field_key), value(ToValue(field_value)) {}

  std::string key;
  Value value;

 private:
  template <typename T>
  static Value ToValue(const T& from) {
    if constexpr (std::is_same_v<T, bool>) {
      return from;
    } else if constexpr (std::signed_integral<T>) {
      return static_cast<std::int64_t>(from);
    } else if constexpr (std::unsigned_integral<T>) {
      return static_cast<std::uint64_t>(from);
    } else if constexpr (std::floating_point<T>) {
      return static_cast<double>(from);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
      return std::string(std::string_view(from));
    } else {
      // absl::string_view, which Debian keeps apart from std::string_view.
      return std::string(from.data(), from.size());
    }
  }
};

class Log {
 public:
  using Fields = std::vector<LogField>;

  // Longer values are cut, and end in "…".
  static constexpr std::size_t kValueBytesMax = 4'096;
  // While so many lines wait for the sink, further ones are dropped and counted.
  static constexpr std::size_t kLinesWaitingMax = 8'192;

  struct Options {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kJson;
    // Borrowed; never closed, and its flags are left alone, because others share it.
    int fd = 2;
  };

  // `clock` must outlive the log.
  Log(const Clock& clock, Options options);
  // Waits at most 0.5 s for the sink.
  ~Log();

  // Text if stderr is a terminal, else JSON.
  static LogFormat FormatForStderr();

  // `event` is a name to search for: snake_case, without values in it.
  void Debug(std::string_view event, const Fields& fields = {});
  void Info(std::string_view event, const Fields& fields = {});
  void Warning(std::string_view event, const Fields& fields = {});
  void Error(std::string_view event, const Fields& fields = {});

  // Lines that the sink did not take, since the start: a metric.
  std::uint64_t Dropped() const;
  // Waits until the sink has taken what was logged before, at most `patience`. False: it has not.
  bool Flush(Duration patience);

 private:
  void Write(LogLevel level, std::string_view event, const Fields& fields);

  const Clock& clock_;
  const Options options_;
  const std::unique_ptr<LineWriter> writer_;
};

}  // namespace headgate
