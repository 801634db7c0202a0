// Ends a stream with the certificate that opened it. On the loop's thread, but for its making.
#pragma once

#include <grpcpp/server_context.h>

#include <functional>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "common/loop/loop.h"

namespace headgate::api {

class CertificateEnd {
 public:
  // Any thread, while the call is alive. `clock` tells the wall's time, by which certificates are
  // meant; it may be set while the stream lasts.
  CertificateEnd(Loop& loop, const Clock& clock, const grpc::CallbackServerContext& context);
  // `end` is called once, with the reason; never for who has no certificate.
  void Begin(std::function<void(const absl::Status&)> end);
  void Cancel() { loop_.Cancel(timer_); }

 private:
  void Look();

  Loop& loop_;
  const Clock& clock_;
  const std::optional<TimePoint> not_after_;
  std::function<void(const absl::Status&)> end_;
  Loop::TimerId timer_ = 0;
};

}  // namespace headgate::api
