// WatchGate as a stream that can be waited on with a limit. One thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "cli/controller.h"
#include "common/base/clock.h"
#include "headgate/v1/operator.grpc.pb.h"

namespace headgate::cli {

class WatchStream {
 public:
  WatchStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& gate);
  // Cancels what is under way.
  ~WatchStream();
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  enum class Event { kGate, kNothing, kEnded };
  // The next gate; nothing within `timeout`; or the end, after which result() says why.
  Event Next(Duration timeout);

  const v1::Gate& gate() const { return shown_; }
  const CallResult& result() const { return result_; }

 private:
  enum class Step : char { kStart, kRead, kFinish };
  void* TagOf(Step step) { return &tags_[static_cast<std::size_t>(step)]; }

  v1::Headgate::Stub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::Gate>> reader_;
  // Their addresses are gRPC's tags.
  Step tags_[3] = {Step::kStart, Step::kRead, Step::kFinish};
  v1::Gate read_;
  v1::Gate shown_;
  grpc::Status status_;
  CallResult result_;
  bool has_ended_ = false;
};

}  // namespace headgate::cli
